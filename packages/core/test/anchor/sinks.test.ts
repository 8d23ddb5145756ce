// Parties that confirm an anchor log: what they leave behind, and what a verdict makes of it.
import { spawnSync } from "node:child_process";
import { cp, readdir, readFile, rm, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it } from "vitest";
import { directoryStore, leafName } from "../../src/anchor/store.ts";
import { timeStampSink } from "../../src/anchor/time-stamp.ts";
import { witnessSink } from "../../src/anchor/witness.ts";
import type { AnchorToVerify } from "../../src/log/verify-log.ts";
import { Signer } from "../../src/seal/signer.ts";
import { AnchoredLog, anchorer, CLEANER, signer } from "./anchored-log.ts";
import { startAuthority, startWitness } from "@ai-audit/test-support/anchor-parties";
import { writeSegment } from "../verify/log-builder.ts";

const REFUSED = { code: "AUDIT_ANCHOR_REFUSED" };

function anchorOf(log: AnchoredLog, more: Partial<AnchorToVerify>): { anchors: AnchorToVerify[] } {
  return { anchors: [{ location: log.anchor, vkey: anchorer.vkey, ...more }] };
}

async function grow(log: AnchoredLog, file = CLEANER): Promise<void> {
  await writeSegment(log.directory, { file, stream: file, signer });
}

describe.skipIf(isLeftOut("cryptography"))("a witness", () => {
  it("cosigns each checkpoint, and the verdict names it and its time", async () => {
    const witness = await startWitness("witness-w", anchorer);
    const log = await AnchoredLog.make();
    const sinks = [witnessSink(witness)];
    expect(await log.run({ sinks })).toMatchObject({ exitCode: 0, confirmed: ["witness-w"] });
    await grow(log);
    expect(await log.run({ sinks })).toMatchObject({ exitCode: 0, confirmed: ["witness-w"] });
    const result = await log.verify(anchorOf(log, { witnesses: [witness.vkey] }));
    expect(result.verdict).toMatch(
      /anchored through \S+Z by witness-w; 0 entries later; unprotected/,
    );
    const [anchor] = result.anchors;
    expect(anchor).toMatchObject({ leaves: 3, by: ["witness-w"], problems: [] });
  });

  it("is told its own last size where the anchorer has another one in mind", async () => {
    const witness = await startWitness("witness-w", anchorer);
    const log = await AnchoredLog.make();
    await log.run({ sinks: [witnessSink(witness)] });
    log.state = { ...log.state, sinks: {} };
    const again = await log.run({ sinks: [witnessSink(witness)] });
    expect(again).toMatchObject({ exitCode: 0, confirmed: ["witness-w"] });
  });

  it("stops an anchor log that was rolled back", async () => {
    const witness = await startWitness("witness-w", anchorer);
    const log = await AnchoredLog.make();
    const old = await temporaryDirectory();
    await cp(log.anchor, old, { recursive: true });
    const before = log.state;
    await log.run({ sinks: [witnessSink(witness)] });
    await log.run({ sinks: [witnessSink(witness)] });
    const copy = await AnchoredLog.resume(log, old, before);
    const result = await copy.run({ sinks: [witnessSink(witness)] });
    expect(result).toMatchObject({ exitCode: 1, confirmed: [] });
    expect(result.failed[0]?.reason).toContain("has seen 3 leaves, and this anchor log has 2");
    expect(result.failed[0]?.isRollback).toBe(true);
  });

  it("proves that the anchor log was cut", async () => {
    const witness = await startWitness("witness-w", anchorer);
    const log = await AnchoredLog.make();
    await log.run({ sinks: [witnessSink(witness)] });
    await unlink(join(log.anchor, leafName(1)));
    const result = await log.verify(anchorOf(log, { witnesses: [witness.vkey] }));
    expect(result.verdict).toContain(
      "it has 1 leaf, and the cosignature of witness-w at 2 leaves is there",
    );
    expect(result.exitCode).toBe(1);
  });

  it("does not vouch with a cosignature that was altered", async () => {
    const witness = await startWitness("witness-w", anchorer);
    const log = await AnchoredLog.make();
    await log.run({ sinks: [witnessSink(witness)] });
    const name = (await readdir(log.anchor)).find((file) => file.startsWith("witness_")) ?? "";
    const path = join(log.anchor, name);
    const note = await readFile(path, "utf8");
    const at = note.indexOf("— witness-w ") + 30;
    await writeFile(path, note.slice(0, at) + (note[at] === "A" ? "B" : "A") + note.slice(at + 1));
    const result = await log.verify(anchorOf(log, { witnesses: [witness.vkey] }));
    expect(result.verdict).toContain("the cosignature of witness-w at 2 leaves does not verify");
    expect(result.exitCode).toBe(1);
  });

  it("must be a witness' key", async () => {
    const log = await AnchoredLog.make();
    await expect(log.verify(anchorOf(log, { witnesses: [anchorer.vkey] }))).rejects.toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message: expect.stringContaining("The key of a witness must"),
    });
  });
});

describe("a time-stamping authority", () => {
  it.each([
    ["ec", "sha256"],
    ["ec", "sha512"],
    ["rsa", "sha256"],
    ["rsa", "sha512"],
  ] as const)("with an %s key and %s vouches offline, and OpenSSL agrees", async (key, digest) => {
    const tsa = await startAuthority("tsa-a", key, digest);
    const log = await AnchoredLog.make();
    const sinks = [timeStampSink({ url: tsa.url, name: "tsa-a" })];
    expect(await log.run({ sinks })).toMatchObject({ exitCode: 0, confirmed: ["tsa-a"] });
    const names = await readdir(log.anchor);
    const token = names.find((name) => name.endsWith(".tsr")) ?? "";
    const data = token.replace(".tsr", ".note");
    const words = ["ts", "-verify", "-data", data, "-in", token, "-CAfile", tsa.certificateFile];
    const checked = spawnSync("openssl", words, { cwd: log.anchor, encoding: "utf8" });
    expect(checked).toMatchObject({ status: 0 });
    const result = await log.verify(anchorOf(log, { tsa: tsa.certificates }));
    expect(result.verdict).toMatch(/anchored through \S+Z by tsa-a; 0 entries later/);
    expect(result.exitCode).toBe(0);
  });

  it("does not vouch with a token over other bytes", async () => {
    const tsa = await startAuthority();
    const log = await AnchoredLog.make();
    const sinks = [timeStampSink({ url: tsa.url, everyMs: 0 })];
    await log.run({ sinks });
    await log.run({ sinks });
    const [first = "", second = ""] = (await readdir(log.anchor)).filter((name) =>
      name.endsWith(".tsr"),
    );
    await cp(join(log.anchor, first), join(log.anchor, second));
    const result = await log.verify(anchorOf(log, { tsa: tsa.certificates }));
    expect(result.verdict).toContain("at 3 leaves does not verify");
    expect(result.exitCode).toBe(1);
  });

  it("that was not given vouches for nothing", async () => {
    const [tsa, other] = [await startAuthority("tsa-a"), await startAuthority("tsa-b")];
    const log = await AnchoredLog.make();
    await log.run({ sinks: [timeStampSink({ url: tsa.url })] });
    const result = await log.verify(anchorOf(log, { tsa: other.certificates }));
    expect(result.verdict).toContain("0 of the parties given vouch for it, and 1 must");
    expect(result.exitCode).toBe(2);
  });

  it("may be down for a day: the gap is on record, and the log stays good", async () => {
    const tsa = await startAuthority();
    const log = await AnchoredLog.make();
    const sinks = [timeStampSink({ url: tsa.url, name: "tsa-a", everyMs: 0 })];
    tsa.setDown(true);
    const down = await log.run({ sinks });
    expect(down).toMatchObject({ exitCode: 2, anchored: 3, confirmed: [] });
    expect(down.failed).toEqual([{ sink: "tsa-a", reason: "answered 503", isRollback: false }]);
    tsa.setDown(false);
    expect(await log.run({ sinks })).toMatchObject({ exitCode: 0, confirmed: ["tsa-a"] });
    expect(await readFile(join(log.anchor, leafName(2)), "utf8")).toContain(
      '"unconfirmed":["tsa-a"]',
    );
    const result = await log.verify(anchorOf(log, { tsa: tsa.certificates }));
    expect(result.exitCode).toBe(0);
  });

  it.skipIf(isLeftOut("cryptography"))(
    "counts once in a quorum, and a witness beside it as a second party",
    async () => {
      const tsa = await startAuthority();
      const witness = await startWitness("witness-w", anchorer);
      const log = await AnchoredLog.make();
      await log.run({ sinks: [timeStampSink({ url: tsa.url })] });
      const both = { tsa: tsa.certificates, witnesses: [witness.vkey], quorum: 2 };
      const one = await log.verify(anchorOf(log, both));
      expect(one.verdict).toContain("1 of the parties given vouch for it, and 2 must");
      expect(one.exitCode).toBe(2);
      await log.run({ sinks: [witnessSink(witness)] });
      const two = await log.verify(anchorOf(log, both));
      expect(two.verdict).toMatch(/anchored through \S+Z by witness-w and tsa-a/);
      expect(two.exitCode).toBe(0);
    },
  );

  it("that vouches for nothing new is stale by --max-anchor-age", async () => {
    const tsa = await startAuthority();
    const log = await AnchoredLog.make();
    await log.run({ sinks: [timeStampSink({ url: tsa.url })] });
    const now = new Date(Date.now() + 3 * 3_600_000);
    const anchors = anchorOf(log, { tsa: tsa.certificates });
    const result = await log.verify({ now, maxAnchorAgeMs: 7_200_000, ...anchors });
    expect(result.verdict).toContain("the anchor is older than 2 h");
    expect(result.verdict).toMatch(/^(STALE|UNCLOSED)/);
    expect(result.exitCode).toBe(2);
  });
});

describe("a copy elsewhere", () => {
  it("serves in place of the anchor log", async () => {
    const log = await AnchoredLog.make();
    const copy = await temporaryDirectory();
    await log.run({ copies: [directoryStore(copy)] });
    await rm(log.anchor, { recursive: true });
    const result = await log.verify(anchorOf(log, { location: copy }));
    expect(result.verdict).toContain("0 entries later");
    expect(result.exitCode).toBe(0);
  });

  it("stops an anchor log that was rolled back", async () => {
    const log = await AnchoredLog.make();
    const copies = [directoryStore(await temporaryDirectory())];
    const old = await temporaryDirectory();
    await cp(log.anchor, old, { recursive: true });
    const before = log.state;
    await log.run({ copies });
    await log.run({ copies });
    const rolledBack = await AnchoredLog.resume(log, old, before);
    await expect(rolledBack.run({ copies })).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("has 3 leaves, and the anchor log has 1"),
    });
  });

  it("that cannot be reached is named, and is brought up to date later", async () => {
    const log = await AnchoredLog.make();
    const parent = await temporaryDirectory();
    const path = join(parent, "copy");
    await writeFile(path, "not a directory");
    const copies = [directoryStore(path)];
    expect(await log.run({ copies })).toMatchObject({ exitCode: 2, failed: [{ sink: path }] });
    await unlink(path);
    expect(await log.run({ copies })).toMatchObject({ exitCode: 0, failed: [] });
    expect(await readdir(path)).toEqual([leafName(0), leafName(1), leafName(2)]);
  });
});

describe("an anchorer", () => {
  it("refuses an anchor log that is behind its own state", async () => {
    const log = await AnchoredLog.make();
    const old = await temporaryDirectory();
    await cp(log.anchor, old, { recursive: true });
    await log.run();
    const rolledBack = await AnchoredLog.resume(log, old, log.state);
    await expect(rolledBack.run()).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining("the anchor log has 1 leaf, and had 2 after the last run"),
    });
  });

  it("yields where another one was faster", async () => {
    const log = await AnchoredLog.make();
    const other = await AnchoredLog.resume(log, log.anchor, log.state);
    const results = await Promise.all([log.run(), other.run()]);
    const appended = results.filter(({ hasYielded }) => !hasYielded);
    expect(appended.length).toBeGreaterThanOrEqual(1);
    expect((await log.verify()).exitCode).toBe(0);
    expect((await readdir(log.anchor)).length).toBe(1 + appended.length);
  });

  it("refuses a key of another anchor log", async () => {
    const log = await AnchoredLog.make();
    const stranger = await Signer.generate("example.com/acme/anchor-2");
    const other = await AnchoredLog.resume(log, log.anchor, log.state, stranger);
    await expect(other.run({ signer: stranger })).rejects.toMatchObject(REFUSED);
  });

  it("anchors nothing that no trusted key sealed, and all the rest", async () => {
    const log = await AnchoredLog.make();
    await writeSegment(log.directory, { file: CLEANER, stream: "x" });
    await writeFile(join(log.directory, "audit_20261122.jsonl"), '{"id":"x"}\n');
    const result = await log.run();
    expect(result).toMatchObject({ exitCode: 2, anchored: 3 });
    expect(new Map(result.leftOut.map(({ file, state }) => [file, state]))).toEqual(
      new Map([
        ["audit_20261122.jsonl", "FOREIGN"],
        [CLEANER, "UNSIGNED"],
      ]),
    );
  });

  it("leaves a heartbeat where nothing changed", async () => {
    const log = await AnchoredLog.make();
    await log.run();
    expect(await log.run()).toMatchObject({ exitCode: 0, anchored: 0, size: 3 });
    expect(await readFile(join(log.anchor, leafName(2)), "utf8")).toContain('"states":0');
  });

  it("begun from now on passes over earlier days, and the verdict says so", async () => {
    const log = await AnchoredLog.make({ fromNow: true });
    expect(await log.run()).toMatchObject({ exitCode: 0, anchored: 1 });
    const result = await log.verify();
    expect(result.verdict).toContain("files before 2026-11-23 were not verified");
  });
});
