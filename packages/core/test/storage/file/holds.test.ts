import { readdir } from "node:fs/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { entryToLine } from "../../../src/format/entry-line.ts";
import { verifyLog } from "../../../src/log/verify-log.ts";
import { FileStorage } from "../../../src/storage/file/file.ts";
import { listHolds, placeHold, releaseHold } from "../../../src/log/holds.ts";
import type { PruneResult } from "../../../src/storage/storage.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const DAY_MS = 86_400_000;
const BY = { reason: "case 12/2026", actor: "legal@example.com" };

describe("holds", () => {
  test("a file with an entry in the held range stays, whatever its age", async () => {
    const path = await logOfDays("2024-01-01", "2024-01-02", "2024-01-03");

    const hold = await placeHold(path, {
      ...BY,
      from: new Date("2024-01-02T00:00:00Z"),
      to: new Date("2024-01-02T23:59:59.999Z"),
    });

    const { files, held, entries, expired } = await prune(path);
    const noon = "2024-01-02T12:00:00.000Z";
    expect(expired).toMatchObject([
      { file: "audit_20240101.jsonl", entries: 1, fate: "removed" },
      {
        file: "audit_20240102.jsonl",
        entries: 1,
        from: noon,
        to: noon,
        fate: "held",
        reason: `hold ${hold} by legal@example.com: case 12/2026`,
      },
      { file: "audit_20240103.jsonl", fate: "removed" },
    ]);
    expect({ files, held, entries }).toEqual({
      files: ["audit_20240101.jsonl", "audit_20240103.jsonl"],
      held: ["audit_20240102.jsonl"],
      entries: 2,
    });
    expect(await readdir(path)).toContain("audit_20240102.jsonl");
  });

  test("a hold without ends keeps everything", async () => {
    const path = await logOfDays("2024-01-01", "2024-01-02");

    await placeHold(path, BY);

    expect((await prune(path)).files).toEqual([]);
  });

  test("a hold's ends are inclusive to the millisecond", async () => {
    const path = await logOfDays("2024-01-01", "2024-01-02");
    const noon = new Date("2024-01-01T12:00:00.000Z");

    await placeHold(path, { ...BY, from: noon, to: noon });
    await placeHold(path, { ...BY, from: new Date("2024-01-02T12:00:00.001Z") });

    expect((await prune(path)).held).toEqual(["audit_20240101.jsonl"]);
  });

  test("a released hold keeps nothing, and is not listed", async () => {
    const path = await logOfDays("2024-01-01");
    const id = await placeHold(path, BY);
    expect(await listHolds(path)).toMatchObject([{ id, from: null, to: null, ...BY }]);

    await releaseHold(path, id, BY);

    expect(await listHolds(path)).toEqual([]);
    expect((await prune(path)).files).toEqual(["audit_20240101.jsonl"]);
  });

  test("a hold that is not in force cannot be released", async () => {
    const path = await logOfDays("2024-01-01");

    await expect(releaseHold(path, "none", BY)).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "no hold none is in force",
    });
  });

  test("a hold survives years: its own segment is never removed while it is in force", async () => {
    const path = await logOfDays("2024-01-01");
    const id = await placeHold(path, BY);

    const { held } = await prune(path, inManyYears());

    expect(held).toHaveLength(2); // the file held, and the one that says so
    expect(await listHolds(path)).toMatchObject([{ id }]);
  });

  test("a release goes together with its hold, never before it", async () => {
    const path = await logOfDays("2024-01-01");
    const id = await placeHold(path, BY);
    await releaseHold(path, id, BY);

    const { held } = await prune(path, inManyYears());

    expect(held).toEqual([]);
    expect(await listHolds(path)).toEqual([]);
  });

  test("a log with holds and removals verifies", async () => {
    const path = await logOfDays("2024-01-01", "2024-01-02");
    await placeHold(path, { ...BY, to: new Date("2024-01-01T23:00:00Z") });
    await prune(path);

    const { files } = await verifyLog(path);

    expect(
      files.flatMap(({ problems }) => problems).filter(({ state }) => state !== "UNSIGNED"),
    ).toEqual([]);
    expect(files.find(({ file }) => file === "audit_20240102.jsonl")).toMatchObject({
      state: "PRUNED",
    });
  });

  test("a hold of an invalid or reversed range is refused", async () => {
    const path = await logOfDays("2024-01-01");
    const [early, late] = [new Date("2024-01-01"), new Date("2024-01-02")];

    await expect(placeHold(path, { ...BY, from: late, to: early })).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "from (2024-01-02T00:00:00.000Z) is after to (2024-01-01T00:00:00.000Z)",
    });
    await expect(placeHold(path, { ...BY, from: new Date("never") })).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: "from is not a valid Date",
    });
  });
});

/** Sets the clock on, until the test ends. */
function inManyYears(): number {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 4000 * DAY_MS });
  onTestFinished(() => void vi.useRealTimers());
  return Date.now();
}

/** A log with one entry at noon of each day. */
async function logOfDays(...days: readonly string[]): Promise<string> {
  const path = await temporaryDirectory();
  const storage = new FileStorage({ path });
  for (const day of days) {
    const timestamp = `${day}T12:00:00.000Z`;
    const hex = Date.parse(timestamp).toString(16).padStart(12, "0");
    const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
    await storage.append(entryToLine({ id, timestamp, inputHash: "", outputHash: "" }), id);
  }
  await storage.close();
  return path;
}

async function prune(path: string, now: number = Date.now()): Promise<PruneResult> {
  const storage = new FileStorage({ path });
  const result = await storage.prune({
    before: now - 365 * DAY_MS,
    policy: "retention 365 days",
    actor: "test",
    now,
  });
  await storage.close();
  return result;
}
