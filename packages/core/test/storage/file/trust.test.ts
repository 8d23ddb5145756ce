import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import {
  AuditLogger,
  FileStorage,
  listHolds,
  placeHold,
  releaseHold,
  Signer,
  verifyLog,
} from "../../../src/index.ts";
import { formatControlLine, type RetentionPrune } from "../../../src/format/control-line.ts";
import type { PruneResult } from "../../../src/storage/storage.ts";
import { testEntry } from "../../../src/testing.ts";
import { sealed } from "../../support/attacked-log.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const DAY_MS = 86_400_000;
const BY = { reason: "case 12/2026", actor: "legal@example.com" };
const ROOT = Buffer.alloc(32).toString("base64");

describe("What a writer signs", () => {
  it("holds no line of a foreign file, whatever it says of a removal", async () => {
    const { path, signer } = await logOf(3, 2);
    const [victim = ""] = await readdir(path);
    await rm(join(path, victim));
    await writeFile(join(path, "audit_20200101.jsonl"), `${pruneOf(victim)}\n`);

    const { files } = await prune(path, signer);

    expect(files).toEqual(["audit_20200101.jsonl"]);
    expect(await statesOf(path, signer)).toMatchObject({ [victim]: "MISSING" });
  });

  it("holds no such line of a segment that no key or another one sealed; that stays, and says so", async () => {
    const { path, signer } = await logOf(3, 2);
    const [victim = ""] = await readdir(path);
    await rm(join(path, victim));
    const other = await newKey();
    for (const [file, key] of [
      ["audit_20200101.jsonl", other],
      ["audit_20200102.jsonl", undefined],
    ] as const) {
      await writeFile(join(path, file), sealed(file, pruneOf(victim), key));
    }

    const { files, refused, expired = [] } = await prune(path, signer);

    expect({ files, refused }).toEqual({
      files: [],
      refused: ["audit_20200101.jsonl", "audit_20200102.jsonl"],
    });
    expect(expired.map(({ reason }) => reason)).toEqual([
      `sealed by another key: ${other.vkey.split("+", 2).join("+")}, which is not in trustedKeys`,
      "it records a removal that other files still refer to, and no checkpoint proves it",
    ]);
    expect(await statesOf(path, signer)).toMatchObject({ [victim]: "MISSING" });
  });

  it("holds such a line of its own key's segment, as long as a file that stays refers to what was removed", async () => {
    const { path, signer } = await logOf(3, 2);
    const [removed = ""] = await readdir(path);
    const root = JSON.parse(/"seen":\[(\{[^}]*\})/.exec(await text(path, 1))?.[1] ?? "{}") as {
      size: number;
      root: string;
    };
    await rm(join(path, removed));
    const line = formatControlLine({
      type: "retention.prune",
      ...prunedFile(removed),
      leaves: root.size,
      root: root.root,
    });
    await writeFile(
      join(path, "audit_20200101.jsonl"),
      sealed("audit_20200101.jsonl", line, signer),
    );

    const { files } = await prune(path, signer);

    expect(files).toEqual(["audit_20200101.jsonl"]);
    expect(await statesOf(path, signer)).toMatchObject({ [removed]: "PRUNED" });
  });

  it("does not repeat what a forged last line claims of another file", async () => {
    const { path, signer } = await logOf(0);
    const [file = ""] = await readdir(path);
    const bytes = await readFile(join(path, file));
    await appendFile(
      join(path, file),
      `${formatControlLine({ type: "checkpoint", note: `x\n1000000\n${ROOT}\n\n` })}\n`,
    );

    await log(path, signer);
    await writeFile(join(path, file), bytes);

    expect((await verifyLog(path, { trustedKeys: [signer.vkey] })).exitCode).toBe(0);
  });

  it("records another key's segment as far as its tree can be computed", async () => {
    const { path, signer } = await logOf(0);
    const other = await newKey();
    await log(path, other);
    await log(path, signer);

    expect(JSON.parse((await text(path, 2)).split("\n")[0] ?? "").seen).toHaveLength(2);
    const { exitCode } = await verifyLog(path, { trustedKeys: [signer.vkey, other.vkey] });
    expect(exitCode).toBe(0);
  });

  it("records a file although a planted one claims that it was recorded", async () => {
    const { path, signer } = await logOf(2);
    const [victim = ""] = await readdir(path);
    const planted = join(path, `audit_${dayOf(1)}_900.jsonl`);
    await writeFile(
      planted,
      `${formatControlLine({ type: "segment.open", v: 1, file: `audit_${dayOf(1)}_900.jsonl`, stream: "x", seq: 0, created: "", vkey: signer.vkey, prev: null, seen: [{ file: victim, size: 1, root: ROOT }], sdk: "" })}\n`,
    );
    await at(1, () => log(path, signer));
    await rm(planted);
    await rm(join(path, victim));

    expect(await statesOf(path, signer)).toMatchObject({ [victim]: "MISSING" });
  });
});

describe("Retention", () => {
  it("does not remove a file that was altered: it is the evidence", async () => {
    const { path, signer } = await logOf(40, 39);
    const [altered = "", other = ""] = await readdir(path);
    const bytes = await readFile(join(path, altered), "utf8");
    await writeFile(join(path, altered), bytes.replace('"provider":', '"PROVIDER":'));

    const { files, refused, expired } = await prune(path, signer, 30);

    expect({ files, refused }).toEqual({ files: [other], refused: [altered] });
    expect(expired).toMatchObject([
      {
        file: altered,
        entries: 1,
        fate: "refused",
        reason: "it does not match its seal, or the log's record of it",
      },
      { file: other, entries: 1, fate: "removed" },
    ]);
    expect(await statesOf(path, signer)).toMatchObject({
      [altered]: "TAMPERED",
      [other]: "PRUNED",
    });
  });

  it("removes a foreign file whose entries are of other days than its name, and its line then names no times", async () => {
    const { path, signer } = await logOf(0);
    const foreign = "audit_20200102.jsonl";
    const { line } = testEntry(Date.parse("2020-03-05T00:00:00Z"));
    await writeFile(join(path, foreign), `${line}\n`);

    expect(await prune(path, signer)).toMatchObject({ files: [foreign], entries: 1 });
    expect(await statesOf(path, signer)).toMatchObject({ [foreign]: "PRUNED" });
  });

  it("does not remove a segment with entries of another day than its own, whoever sealed it", async () => {
    const { path, signer } = await logOf(0);
    const file = "audit_20200102.jsonl";
    await writeFile(
      join(path, file),
      sealed(file, testEntry(Date.parse("2020-03-05T00:00:00Z")).line, await newKey()),
    );

    expect(await prune(path, signer)).toMatchObject({ files: [], refused: [file] });
  });

  it.each([
    [
      "a segment of another key",
      async (file: string) => sealed(file, '{"type":"note"}', await newKey()),
    ],
    ["no segment at all", async () => `${testEntry(Date.now() - 40 * DAY_MS).line}\n`],
  ])("does not remove a file that the log recorded and that is now %s", async (_, bytesFor) => {
    const { path, signer } = await logOf(40, 39);
    const [replaced = ""] = await readdir(path);
    await writeFile(join(path, replaced), await bytesFor(replaced));

    expect(await prune(path, signer, 30)).toMatchObject({ refused: [replaced] });
  });

  it("never removes what is of the real today, whatever present it is given", async () => {
    const path = await temporaryDirectory();
    await using other = new AuditLogger(new FileStorage({ path }));
    await other.log({ input: "i", output: "o" });
    await using logger = new AuditLogger(new FileStorage({ path }), { retentionDays: 1 });

    expect(await logger.cleanupExpired({ now: new Date(Date.now() + 3 * DAY_MS) })).toBe(0);
    expect(await readdir(path)).toHaveLength(1);
  });
});

describe("A hold", () => {
  it("is not lifted by a release that nobody signed", async () => {
    const { path, signer } = await logOf(40);
    const id = await placeHold(path, { ...BY, signer });
    const release = formatControlLine({ type: "retention.release", hold: id, ...BY, released: "" });
    await writeFile(join(path, "audit_20200101.jsonl"), `x\n${release}\n`);
    await writeFile(
      join(path, "audit_20200102.jsonl"),
      sealed("audit_20200102.jsonl", release, undefined),
    );
    await writeFile(
      join(path, "audit_20200103.jsonl"),
      sealed("audit_20200103.jsonl", release, await newKey()),
    );

    expect(await prune(path, signer, 30)).toMatchObject({
      held: expect.arrayContaining([`audit_${dayOf(40)}.jsonl`]),
    });
    expect(await listHolds(path)).toMatchObject([{ id }]);
    await expect(releaseHold(path, id, BY)).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: `hold ${id} was placed under a signing key: an unsigned release does not end it`,
    });
  });

  it("ends with a release by its own key, and for whoever knows it by the log's newer one", async () => {
    const { path, signer } = await logOf(40);
    const first = await placeHold(path, { ...BY, signer });
    const second = await placeHold(path, { ...BY, signer });
    const newer = await newKey();

    await releaseHold(path, first, { ...BY, signer });
    await releaseHold(path, second, { ...BY, signer: newer });

    expect(await listHolds(path)).toMatchObject([{ id: second }]);
    expect(await listHolds(path, { vkey: newer.vkey })).toEqual([]);
  });

  it("is not replaced by a narrower one of the same id", async () => {
    const { path, signer } = await logOf(40);
    const id = await placeHold(path, { ...BY, signer });
    const { placed = "" } = (await listHolds(path))[0] ?? {};
    const narrow = JSON.stringify({
      type: "retention.hold",
      hold: id,
      from: placed,
      to: placed,
      ...BY,
      placed,
    });
    await writeFile(join(path, `audit_${dayOf(0)}_900.jsonl`), `x\n${narrow}\n`);

    expect(await prune(path, signer, 30)).toMatchObject({ files: [] });
  });

  it("keeps a file of a day it covers although the file's entries were taken out", async () => {
    const { path, signer } = await logOf(40);
    await placeHold(path, { ...BY, signer });
    const [file = ""] = await readdir(path);
    await writeFile(join(path, file), "x\n");

    expect(await prune(path, signer, 30)).toMatchObject({ files: [], held: [file] });
  });
});

function newKey(): Promise<Signer> {
  return Signer.generate("example.com/audit");
}

/** A log with a run of its own on each of the days so many days ago. */
async function logOf(...daysAgo: readonly number[]): Promise<{ path: string; signer: Signer }> {
  const path = await temporaryDirectory();
  const signer = await newKey();
  for (const days of daysAgo) await at(days, () => log(path, signer));
  return { path, signer };
}

async function log(path: string, signer: Signer): Promise<void> {
  const storage = new FileStorage({ path, signer });
  const { line, id } = testEntry(Date.now());
  await storage.append(line, id);
  await storage.close();
}

async function at(daysAgo: number, run: () => Promise<void>): Promise<void> {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - daysAgo * DAY_MS });
  await run();
  vi.useRealTimers();
}

function dayOf(daysAgo: number): string {
  return new Date(Date.now() - daysAgo * DAY_MS).toISOString().slice(0, 10).replaceAll("-", "");
}

async function text(path: string, index: number): Promise<string> {
  return readFile(join(path, (await readdir(path)).toSorted()[index] ?? ""), "utf8");
}

function prunedFile(file: string): Omit<RetentionPrune, "type"> {
  return {
    file,
    leaves: 1_000_000,
    root: ROOT,
    from: null,
    to: null,
    policy: "retention 365 days",
    actor: "test",
  };
}

function pruneOf(file: string): string {
  return formatControlLine({ type: "retention.prune", ...prunedFile(file) });
}

async function prune(path: string, signer: Signer, days = 365): Promise<PruneResult> {
  const storage = new FileStorage({ path, signer });
  const now = Date.now();
  const result = await storage.prune({
    before: now - days * DAY_MS,
    policy: "retention",
    actor: "test",
    now,
  });
  await storage.close();
  return result;
}

async function statesOf(path: string, signer: Signer): Promise<Record<string, string>> {
  const { files } = await verifyLog(path, { trustedKeys: [signer.vkey] });
  return Object.fromEntries(files.map(({ file, state }) => [file, state]));
}
