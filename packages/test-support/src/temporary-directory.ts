import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A directory that goes when the test ends. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ai-audit-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A directory for several tests, that goes when their process does. */
export async function sharedDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ai-audit-"));
  process.once("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
}
