// Sample logs for tests. Importing this registers their removal.
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { type SampleLog, writeSampleLog } from "./sample-log.ts";

const roots: string[] = [];
let shared: Promise<SampleLog> | undefined;

afterAll(async () => {
  for (const root of roots) await rm(root, { recursive: true });
});

/** The sample that the tests of a file share: to be read only. */
export async function sharedSample(): Promise<SampleLog> {
  shared ??= emptyRoot().then(writeSampleLog);
  return shared;
}

/** A copy of it, for a test that changes it. */
export async function ownSample(): Promise<SampleLog> {
  const sample = await sharedSample();
  const root = await emptyRoot();
  await cp(sample.root, root, { recursive: true });
  return { ...sample, root, directory: join(root, "audit-logs"), subjects: join(root, "subjects") };
}

/** A directory for the tests of a file, removed after the last of them. */
export async function emptyRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "ai-audit-cli-"));
  roots.push(root);
  return root;
}
