import { spawn, spawnSync } from "node:child_process";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it, onTestFinished } from "vitest";
import { AuditLogger, Signer, verifyLog } from "../../../src/index.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const SCRIPT = join(import.meta.dirname, "children/fill-disk.ts");

/** A directory with so much room, where this process may mount one. */
async function smallDisk(size: string): Promise<string | undefined> {
  const path = await temporaryDirectory();
  if (spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "none", path]).status !== 0)
    return undefined;
  onTestFinished(() => void spawnSync("umount", [path]));
  return path;
}

interface Said {
  readonly acknowledged?: string;
  readonly refused?: { readonly name: string; readonly code: string };
  readonly cause?: string;
  readonly health?: boolean;
  readonly isRecovered?: boolean;
}

/** Runs the script; `makeRoom` is called when it was refused for the first time. */
async function fill(
  command: string,
  args: string[],
  makeRoom: () => Promise<void>,
): Promise<Said[]> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] });
  const said: Said[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const message: Said = JSON.parse(line);
    said.push(message);
    if (message.health === false && message.isRecovered === undefined) {
      await makeRoom();
      child.stdin.write("go on\n");
    }
  }
  return said;
}

async function expectNothingLost(
  path: string,
  said: readonly Said[],
  signer: Signer,
): Promise<void> {
  const acknowledged = said.flatMap((message) => message.acknowledged ?? []);
  await using logger = new AuditLogger(path);
  const kept = new Set((await Array.fromAsync(logger.entries())).map(({ id }) => id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  expect(acknowledged.length).toBeGreaterThan(8);
  const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
  expect([0, 2]).toContain(verification.exitCode);
  expect(verification.entries).toBeGreaterThanOrEqual(acknowledged.length);
}

async function lossesIn(path: string): Promise<number> {
  let lost = 0;
  for (const file of await readdir(path)) {
    if (!file.endsWith(".jsonl")) continue;
    for (const line of (await readFile(join(path, file), "utf8")).split("\n")) {
      if (line.startsWith('{"type":"loss"')) lost += JSON.parse(line).entries;
    }
  }
  return lost;
}

it("A full disk refuses entries with AUDIT_WRITE_FAILED, loses none acknowledged, and the loss is recorded", async ({
  skip,
}) => {
  const disk = await smallDisk("128k");
  const path = join(disk ?? skip("needs the right to mount a file system"), "log");
  const ballast = join(path, "../ballast");
  await writeFile(ballast, "x".repeat(64 * 1024));
  const signer = await Signer.generate("test");
  const said = await fill(process.execPath, [SCRIPT, path, signer.toPem()], () => rm(ballast));
  const refused = said.filter((message) => message.refused);
  expect(refused.length).toBeGreaterThan(0);
  for (const message of refused) {
    expect(message).toEqual({
      refused: { name: "AuditWriteError", code: "AUDIT_WRITE_FAILED" },
      cause: "ENOSPC",
    });
  }
  expect(said.at(-1)).toEqual({ isRecovered: true, health: true });
  await expectNothingLost(path, said, signer);
  expect(await lossesIn(path)).toBe(refused.length);
});

it("A limit on file size ends a segment like a full disk, and the next one goes on", async () => {
  const path = join(await temporaryDirectory(), "log");
  const signer = await Signer.generate("test");
  const command = `ulimit -f 40; exec "$0" "$@"`;
  const said = await fill(
    "sh",
    ["-c", command, process.execPath, SCRIPT, path, signer.toPem()],
    async () => undefined,
  );
  const refused = said.filter((message) => message.refused);
  expect(refused.length).toBeGreaterThan(0);
  for (const message of refused) {
    expect(message).toEqual({
      refused: { name: "AuditWriteError", code: "AUDIT_WRITE_FAILED" },
      cause: "EFBIG",
    });
  }
  expect(said.at(-1)).toEqual({ isRecovered: true, health: true });
  await expectNothingLost(path, said, signer);
  expect(await lossesIn(path)).toBe(refused.length);
  expect((await readdir(path)).length).toBe(2);
});
