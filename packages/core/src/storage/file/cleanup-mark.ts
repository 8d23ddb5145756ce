// The mark of a clean-up at work, in `.cleanup` beside the segments. Clean-ups of several processes
// are safe at the same time; the mark only saves the second one from reading every file that the
// first one removes.
import { open, readFile, stat, utimes } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { removeFile } from "../../files.ts";
import { hasCode } from "../../system-error.ts";

const FILE = ".cleanup";
/** A clean-up at work renews its mark. A mark this old was left by a crash. */
const STALE_MS = 30_000;
const RENEWAL_MS = 5000;
const POLL_MS = 100;
/** Longest wait: another process must not block retention by renewing a mark. */
const MAX_WAIT_MS = 600_000;

/** Waits while another clean-up is at work, then runs `work` under a mark of its own. */
export async function withCleanupMark<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const path = join(directory, FILE);
  const isMarked = await take(path);
  const renewal = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined); // gone: another clean-up runs at the same time
  }, RENEWAL_MS);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    if (isMarked) await removeFile(path);
  }
}

/** False where no mark can be made: the clean-up then runs without one. */
async function take(path: string): Promise<boolean> {
  const giveUp = performance.now() + MAX_WAIT_MS;
  while (performance.now() < giveUp) {
    try {
      const handle = await open(path, "wx", 0o600);
      try {
        await handle.writeFile(`${process.pid} ${hostname()}\n`);
      } finally {
        await handle.close();
      }
      return true;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) return false; // for example a read-only directory: the error of the work itself says more
    }
    if (await isLeftOver(path)) await removeFile(path);
    else await sleep(POLL_MS);
  }
  return false;
}

async function isLeftOver(path: string): Promise<boolean> {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
    if (Date.now() - mtimeMs > STALE_MS) return true;
    const [, pid, host] = /^(\d{1,10}) (.*)\n$/.exec(text) ?? [];
    return host === hostname() && !isRunning(Number(pid));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !hasCode(error, "ESRCH");
  }
}
