import { once } from "node:events";
import { appendFile, cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { FileStorage, placeHold, releaseHold, Signer, verifyLog } from "../../../src/index.ts";
import { readFirstLine } from "../../../src/format/read-control-line.ts";
import type { SegmentArchive } from "../../../src/retention/archive.ts";
import type { PruneResult } from "../../../src/storage/storage.ts";
import { testEntry } from "../../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { start } from "./children/run.ts";
import { times } from "@ai-audit/test-support/soak";

const DAY_MS = 86_400_000;
const BY = { reason: "case 12/2026", actor: "legal@example.com" };

async function writeNow(storage: FileStorage): Promise<void> {
  const { line, id } = testEntry(Date.now());
  await storage.append(line, id);
}

describe("The record of a removal", () => {
  it("proves that the file began as smaller states on record say, so that a pin of one counts", async () => {
    const path = await temporaryDirectory();
    const signer = await newKey();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 40 * DAY_MS });
    onTestFinished(() => void vi.useRealTimers());
    const [long, short] = [new FileStorage({ path, signer }), new FileStorage({ path, signer })];
    await writeNow(long);
    await writeNow(short); // its first line records the long one at 2 leaves
    for (let count = 0; count < 5; count += 1) await writeNow(long);
    await long.close();
    await short.close();
    vi.useRealTimers();
    const [first = "", second = ""] = await files(path);
    const open = readFirstLine(
      (await readFile(join(path, second), "utf8")).split("\n", 1)[0] ?? "",
    );
    const [seen] = open.kind === "segment" ? open.open.seen : [];
    expect(seen).toMatchObject({ file: first, size: 2 });
    const origin = `${signer.name}/${long.stream}/${first.replace(".jsonl", "")}`;
    const pins = [{ origin, size: 2, root: seen?.root ?? "" }];
    await writeNow(new FileStorage({ path, signer })); // so that something of the log is left

    expect(await prune(path, signer)).toMatchObject({ files: [first, second] });

    const trustedKeys = [signer.vkey];
    const result = await verifyLog(path, { trustedKeys, pins, retention: [{ days: 30 }] });
    expect(result.files[0]).toMatchObject({ file: first, state: "PRUNED", problems: [] });
    const forged = [{ origin, size: 3, root: seen?.root ?? "" }];
    const doubted = await verifyLog(path, { trustedKeys, pins: forged, retention: [{ days: 30 }] });
    expect(doubted.files[0]?.problems[0]?.message).toContain("pinned at 3 leaves, and the record");
  });

  it("is of no use where a writer that slept comes back: the file stays", async () => {
    const { path, signer } = await logOf(40, 39);
    const [first = "", second = ""] = await files(path);
    const storage = new FileStorage({ path, signer });
    const append = storage.append.bind(storage);
    storage.append = async (line, id) => {
      await append(line, id);
      await appendFile(join(path, first), "x");
    };
    const now = Date.now();
    const options = { before: now - 30 * DAY_MS, policy: "30 days", actor: "cron", now };
    expect(await storage.prune(options)).toMatchObject({ files: [second] });
    await storage.close();
    expect(await files(path)).toContain(first);
  });
});

describe("What only removed segments recorded of a file that stays", () => {
  it("is on record again: a held file that is deleted after the clean-up is missing, and its hold is named", async () => {
    const { path, signer } = await logOf(40, 39);
    const hold = await holdDay(path, signer, 40);
    const [held = "", gone = ""] = await files(path);

    expect(await prune(path, signer)).toMatchObject({ files: [gone], held: [held] });
    expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
    await rm(join(path, held));

    const { exitCode, verdict } = await verified(path, signer);
    expect(exitCode).toBe(1);
    expect(verdict).toContain(
      `the file is gone, and no retention.prune line says why, though hold ${hold} by legal@example.com: case 12/2026 keeps its day`,
    );
  });

  it("is missing without a word of a hold that was released, or that is of other days", async () => {
    const { path, signer } = await logOf(40, 39);
    const hold = await holdDay(path, signer, 40);
    await prune(path, signer);
    await releaseHold(path, hold, { ...BY, signer });
    await holdDay(path, signer, 39);
    await rm(join(path, (await files(path))[0] ?? ""));

    const { exitCode, verdict } = await verified(path, signer);
    expect(exitCode).toBe(1);
    expect(verdict).toContain("no retention.prune line says why; ");
    expect(verdict).not.toContain("though hold");
  });

  it("is on record again where the same writer's next segment was the one that recorded it", async () => {
    const path = await temporaryDirectory();
    const signer = await newKey();
    const storage = new FileStorage({ path, signer });
    for (const days of [42, 41, 40]) {
      const { line, id } = testEntry(Date.now() - days * DAY_MS);
      await storage.append(line, id);
    }
    await storage.close();
    await holdDay(path, signer, 41);
    const [first = "", middle = "", last = ""] = await files(path);

    expect(await prune(path, signer)).toMatchObject({ files: [first, last], held: [middle] });
    expect(await statesOf(path, signer)).toMatchObject({
      [first]: "PRUNED",
      [middle]: "OK",
      [last]: "PRUNED",
    });
    await rm(join(path, middle));

    expect(await statesOf(path, signer)).toMatchObject({ [middle]: "MISSING" });
  });

  it("is recorded by the segment that the cleaner has open, which ends for it", async () => {
    const { path, signer } = await logOf(40, 39);
    await holdDay(path, signer, 40);
    const [held = ""] = await files(path);
    const storage = new FileStorage({ path, signer });
    await log(storage);
    await pruneBy(storage, 30);
    await log(storage);
    await storage.close();

    expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
    await rm(join(path, held));
    expect(await statesOf(path, signer)).toMatchObject({ [held]: "MISSING" });
  });

  it("is carried from clean-up to clean-up, with the records of removals, until the file itself may go", async () => {
    const { path, signer } = await logOf(400, 399, 398);
    const hold = await holdDay(path, signer, 399);
    const held = (await files(path))[1] ?? "";
    for (const days of [300, 200, 100]) {
      await at(days, async () => void (await prune(path, signer)));
      await at(days - 1, () => run(path, signer));
      expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
    }
    await prune(path, signer);
    const copy = await copyOf(path);
    await rm(join(copy, held));
    expect(await statesOf(copy, signer)).toMatchObject({ [held]: "MISSING" });

    await releaseHold(path, hold, { ...BY, signer });
    expect((await prune(path, signer)).files).toContain(held);
    expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
  });

  it("is written once: the next clean-up of the day adds no record, nor does one that removes nothing", async () => {
    const { path, signer } = await logOf(40, 39, 35);
    await holdDay(path, signer, 40);
    await prune(path, signer, 37);
    const recorded = await recordsOf(path, (await files(path))[0] ?? "");
    await prune(path, signer, 37);
    await prune(path, signer, 30);

    expect(await recordsOf(path, (await files(path))[0] ?? "")).toBe(recorded);
  });

  it("is held against a file that was cut off before the clean-up", async () => {
    const { path, signer } = await logOf(40, 39);
    await holdDay(path, signer, 40);
    const [held = ""] = await files(path);
    const bytes = await readFile(join(path, held), "utf8");
    await writeFile(join(path, held), `${bytes.split("\n").slice(0, 3).join("\n")}\n`);

    await prune(path, signer);

    expect(await statesOf(path, signer)).toMatchObject({ [held]: "ROLLBACK" });
  });

  it("is kept of a held file that was deleted before the clean-up", async () => {
    const { path, signer } = await logOf(40, 39);
    await holdDay(path, signer, 40);
    const [held = ""] = await files(path);
    await rm(join(path, held));
    await prune(path, signer);
    expect(await statesOf(path, signer)).toMatchObject({ [held]: "MISSING" });
  });

  it("is forgotten of a file that is gone and past retention, which nothing holds", async () => {
    const { path, signer } = await logOf(41, 40, 39);
    const [first = ""] = await files(path);
    await rm(join(path, first));
    await prune(path, signer);
    expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
  });

  it("is on record in an unsigned log as well, as far as that goes", async () => {
    const path = await temporaryDirectory();
    for (const days of [40, 39]) await at(days, () => run(path, undefined));
    await holdDay(path, undefined, 40);
    const [held = ""] = await files(path);
    await prune(path, undefined);
    await rm(join(path, held));
    expect(await verifyLog(path)).toMatchObject({ exitCode: 1 });
  });

  it("is on record after clean-ups at the same time, of different reach", async () => {
    const { path, signer } = await logOf(40, 39, 38, 37, 36);
    await holdDay(path, signer, 40);
    const [held = ""] = await files(path);
    await Promise.all([37.5, 36.5, 30].map((days) => prune(path, signer, days)));

    expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
    await rm(join(path, held));
    expect(await statesOf(path, signer)).toMatchObject({ [held]: "MISSING" });
  });

  it("is on record wherever a clean-up is killed", { timeout: 120_000 }, async () => {
    const { path, signer } = await logOf(...Array.from({ length: 12 }, (_, index) => 50 - index));
    await holdDay(path, signer, 50);
    const [held = ""] = await files(path);
    const secret = signer.toPem();
    const attempts = times(5, 24);
    let killedEarly = 0;
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const copy = await copyOf(path);
      const child = start("clean-up.ts", copy, secret);
      const exit = once(child, "exit");
      await once(child.stdout, "data"); // it is about to begin
      await sleep((attempt * 144) / attempts);
      child.kill("SIGKILL");
      await exit;
      if ((await files(copy)).length > 3) killedEarly += 1;
      await rm(join(copy, held));
      expect(await statesOf(copy, signer)).toMatchObject({ [held]: "MISSING" });
    }
    expect(killedEarly).toBeGreaterThan(0);
  });

  it("is on record when copies go because an archive has them", async () => {
    const { path, signer } = await logOf(3, 2);
    const [stays = "", goes = ""] = await files(path);
    const archive = archiveWithout(stays);
    const storage = new FileStorage({ path, signer, archive });
    await log(storage);
    await expect.poll(() => files(path), { timeout: 10_000 }).not.toContain(goes);
    await storage.close();
    const bytes = await readFile(join(path, stays));
    await rm(join(path, stays));
    expect(await statesOf(path, signer)).toMatchObject({ [stays]: "MISSING", [goes]: "ARCHIVED" });
    await writeFile(join(path, stays), bytes);
    expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
  });
});

describe("A cleaner whose key is another than the one that sealed a file", () => {
  it("removes nothing, and says whose the file is", async () => {
    const { path, signer } = await logOf(40, 39);
    const before = await files(path);

    for (const other of [await newKey(), undefined]) {
      const { files: gone, refused, expired = [] } = await prune(path, other);
      expect({ gone, refused }).toEqual({ gone: [], refused: before });
      const [name = "", hash = ""] = signer.vkey.split("+");
      expect(expired.map(({ reason }) => reason)).toEqual(
        before.map(() => `sealed by another key: ${name}+${hash}, which is not in trustedKeys`),
      );
    }
    expect(await files(path)).toEqual(before);
    expect(await verified(path, signer)).toMatchObject({ exitCode: 0 });
  });

  it("removes it where the caller trusts that key, and keeps what segments of that key recorded", async () => {
    const { path, signer: older } = await logOf(40, 39);
    const signer = await newKey();
    await holdDay(path, older, 40);
    const [held = "", gone = ""] = await files(path);
    const storage = new FileStorage({ path, signer, trustedKeys: [older.vkey] });

    expect(await pruneBy(storage, 30)).toMatchObject({ files: [gone], held: [held], refused: [] });
    await storage.close();
    const trustedKeys = [signer.vkey, older.vkey];
    expect(await verifyLog(path, { trustedKeys })).toMatchObject({ exitCode: 0 });
    await rm(join(path, held));
    expect(await verifyLog(path, { trustedKeys })).toMatchObject({ exitCode: 1 });
  });

  it("does not take a malformed key for one to trust", async () => {
    const path = await temporaryDirectory();
    expect(() => new FileStorage({ path, trustedKeys: ["nonsense"] })).toThrow(
      expect.objectContaining({ code: "AUDIT_KEY_INVALID" }),
    );
  });
});

function newKey(): Promise<Signer> {
  return Signer.generate("example.com/audit");
}

async function logOf(...daysAgo: readonly number[]): Promise<{ path: string; signer: Signer }> {
  const path = await temporaryDirectory();
  const signer = await newKey();
  for (const days of daysAgo) await at(days, () => run(path, signer));
  return { path, signer };
}

/** A run of a process that logs once. */
async function run(path: string, signer: Signer | undefined): Promise<void> {
  const storage = new FileStorage({ path, ...(signer && { signer }) });
  await log(storage);
  await storage.close();
}

async function log(storage: FileStorage): Promise<void> {
  const { line, id } = testEntry(Date.now());
  await storage.append(line, id);
}

/** As if it were so many days ago. */
async function at(daysAgo: number, act: () => Promise<void>): Promise<void> {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - daysAgo * DAY_MS });
  await act();
  vi.useRealTimers();
}

async function holdDay(path: string, signer: Signer | undefined, daysAgo: number): Promise<string> {
  const day = Date.now() - daysAgo * DAY_MS;
  const [from, to] = [new Date(day - 60_000), new Date(day + 60_000)];
  return placeHold(path, { ...BY, from, to, signer });
}

async function files(path: string): Promise<string[]> {
  return (await readdir(path)).filter((file) => file.endsWith(".jsonl")).toSorted();
}

async function copyOf(path: string): Promise<string> {
  const copy = await temporaryDirectory();
  await cp(path, copy, { recursive: true });
  return copy;
}

/** How many first lines refer to a file. */
async function recordsOf(path: string, file: string): Promise<number> {
  const texts = await Promise.all(
    (await files(path)).map((other) => readFile(join(path, other), "utf8")),
  );
  return texts.filter((text) => text.split("\n", 1)[0]?.includes(`{"file":"${file}","size"`))
    .length;
}

async function prune(path: string, signer: Signer | undefined, days = 30): Promise<PruneResult> {
  const storage = new FileStorage({ path, ...(signer && { signer }) });
  const result = await pruneBy(storage, days);
  await storage.close();
  return result;
}

function pruneBy(storage: FileStorage, days: number): Promise<PruneResult> {
  const now = Date.now();
  return storage.prune({ before: now - days * DAY_MS, policy: "retention", actor: "test", now });
}

function verified(path: string, signer: Signer): ReturnType<typeof verifyLog> {
  return verifyLog(path, { trustedKeys: [signer.vkey] });
}

async function statesOf(path: string, signer: Signer): Promise<Record<string, string>> {
  const { files: found } = await verified(path, signer);
  return Object.fromEntries(found.map(({ file, state }) => [file, state]));
}

/** An archive that takes everything but one file. */
function archiveWithout(refused: string): SegmentArchive {
  return {
    keepLocalDays: 0,
    expiresDays: undefined,
    onError: () => undefined,
    store: async (segment) => {
      if (segment.file === refused) throw new Error("not now");
      return `s3://archive/${segment.file}`;
    },
  };
}
