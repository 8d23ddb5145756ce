import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";

/** A child process that runs a script of this directory; what it prints on stderr shows. */
export function start(
  script: string,
  ...args: string[]
): ChildProcessByStdio<Writable, Readable, null> {
  return spawn(process.execPath, [join(import.meta.dirname, script), ...args], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

/** Everything a child prints until it ends, and its exit code. */
export async function finish(
  child: ChildProcessByStdio<Writable, Readable, null>,
): Promise<{ text: string; code: number | null }> {
  const ended = once(child, "close");
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  await ended;
  return { text: Buffer.concat(chunks).toString(), code: child.exitCode };
}
