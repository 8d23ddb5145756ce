// The name of a log's directory outlasts a power cut, also where another process has just made it.
import { execFile } from "node:child_process";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";

const INDEX = new URL("../src/index.ts", import.meta.url).href;

/** Logs one entry in a process of its own. Resolves to the directories that it synced. */
async function syncedBy(path: string, trace: string): Promise<(string | undefined)[]> {
  const program = `
    import { AuditLogger } from ${JSON.stringify(INDEX)};
    await new AuditLogger(${JSON.stringify(path)}).log({ input: "question", output: "answer" });
    process.exit();
  `;
  const node = [process.execPath, "--input-type=module", "--eval", program];
  const words = ["-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace, ...node];
  await promisify(execFile)("strace", words);
  const calls = (await readFile(trace, "utf8")).matchAll(/\bf(?:data)?sync\(\d+<([^>]*)>/g);
  return [...calls].map(([, synced]) => synced);
}

describe.skipIf(isLeftOut("strace"))("The name of the directory", { timeout: 60_000 }, () => {
  it.each([
    ["another process has made it", true],
    ["this one makes it", false],
  ])("is durable before the first entry is acknowledged, where %s", async (_, isThere) => {
    const root = await temporaryDirectory();
    const path = join(root, "logs", "audit");
    await mkdir(isThere ? path : join(root, "logs"), { recursive: true });
    const synced = await syncedBy(path, join(root, "trace"));
    expect(synced.indexOf(join(root, "logs"))).toBeGreaterThanOrEqual(0);
    expect(synced.indexOf(join(root, "logs"))).toBeLessThan(synced.indexOf(path));
  });
});
