import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { AuditLogger, Signer, verifyLog } from "../../../src/index.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { finish, start } from "./children/run.ts";
import { times } from "@ai-audit/test-support/soak";

/** Kills of each of the two writers at a time. */
const ROUNDS = times(3, 10);

it("A writer killed at any moment loses nothing acknowledged, and nothing it leaves looks like tampering", async () => {
  const path = await temporaryDirectory();
  const signer = await Signer.generate("test");
  const acknowledged: string[] = [];
  const kill = async (): Promise<void> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const child = start("log-forever.ts", path, signer.toPem());
      const finished = finish(child);
      await once(child.stdout, "data");
      await sleep(Math.random() * 150);
      child.kill("SIGKILL");
      acknowledged.push(...(await finished).text.split("\n").slice(0, -1));
    }
  };
  await Promise.all([kill(), kill()]);
  expect(acknowledged.length).toBeGreaterThan(20 * ROUNDS);
  expect(new Set(acknowledged).size).toBe(acknowledged.length);

  await using logger = new AuditLogger(path);
  const kept = new Set<string>();
  let previous = "";
  for await (const { id } of logger.entries()) {
    expect(id > previous).toBe(true);
    kept.add(id);
    previous = id;
  }
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  for (const id of acknowledged.filter((_, n) => n % 97 === 0))
    expect((await logger.getEntry(id))?.id).toBe(id);

  const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
  const states = new Set(verification.files.map(({ state }) => state));
  for (const state of ["TAMPERED", "MISSING", "FORK", "ROLLBACK"] as const)
    expect(states).not.toContain(state);
  expect([0, 2]).toContain(verification.exitCode);
  expect(verification.entries).toBeGreaterThanOrEqual(acknowledged.length);
}, 120_000);

it("Two processes log 2,000 entries each into one directory: 4,000 are there, and the log verifies", async () => {
  const path = await temporaryDirectory();
  const signer = await Signer.generate("test");
  const children = [1, 2].map(() => start("log-many.ts", path, signer.toPem(), "2000"));
  expect(await Promise.all(children.map(finish))).toEqual([
    { text: "", code: 0 },
    { text: "", code: 0 },
  ]);
  await using logger = new AuditLogger(path);
  expect(await logger.count()).toBe(4000);
  const entries = await Array.fromAsync(logger.entries());
  const ids = entries.map(({ id }) => id);
  expect(ids).toHaveLength(4000);
  expect(ids.toSorted()).toEqual(ids);
  for (const child of children)
    expect(entries.filter(({ metadata }) => metadata["pid"] === child.pid)).toHaveLength(2000);
  const newest = await Array.fromAsync(logger.entries({ newestFirst: true }));
  expect(newest.map(({ id }) => id)).toEqual(ids.toReversed());
  const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
  expect(verification).toMatchObject({
    exitCode: 0,
    entries: 4000,
    files: [{ state: "OK" }, { state: "OK" }],
  });
}, 60_000);
