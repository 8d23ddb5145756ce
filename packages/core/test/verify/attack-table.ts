// The log that the tables of attacks work on, anew for each row, and the runner of the tables.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type ControlLine,
  formatControlLine,
  type SegmentRef,
} from "../../src/format/control-line.ts";
import { type VerifyOptions, verifyLog } from "../../src/log/verify-log.ts";
import { leafHash } from "../../src/seal/merkle.ts";
import { Signer } from "../../src/seal/signer.ts";
import type { Pin, Verification } from "../../src/verify/verification.ts";
import { NOW, type SegmentSpec, writeSegment } from "./log-builder.ts";

/** What was done, under which pin, hold or rule, and the exit code and sentence of the verdict. */
export interface Row {
  readonly what: string;
  readonly act: () => Promise<VerifyOptions | void>;
  readonly exitCode: number;
  readonly says: string;
}

export const OLD = "audit_20261120.jsonl";
export const NEXT = "audit_20261121.jsonl";
export const TODAY = "audit_20261123.jsonl";
export const CLEANER = "audit_20261123_050.jsonl";
export const signer: Signer = await Signer.generate("acme");

/** Rules of an auditor. */
export const YEAR: VerifyOptions = { retention: [{ days: 365 }] };
export const DAY: VerifyOptions = { retention: [{ days: 1 }] };

const NOTHING: SegmentRef = { file: "", size: 0, root: "" };

/**
 * A log of three days: two segments of one writer, and one of today by another that has seen both.
 * Made anew before each test.
 */
export const bench: { directory: string; old: SegmentRef; next: SegmentRef } = {
  directory: "",
  old: NOTHING,
  next: NOTHING,
};

beforeEach(async () => {
  const directory = await temporaryDirectory();
  const old = await writeSegment(directory, { file: OLD, signer });
  const next = await writeSegment(directory, { file: NEXT, seq: 1, signer, prev: old });
  await writeSegment(directory, { file: TODAY, stream: "streamB", signer, seen: [old, next] });
  Object.assign(bench, { directory, old, next });
});

export function pinOf({ file, size, root }: SegmentRef, stream = "streamA"): Pin {
  return { origin: `acme/${stream}/${file.replace(".jsonl", "")}`, size, root };
}

export function pathOf(file: string): string {
  return join(bench.directory, file);
}

/** Seals control lines into a segment of today, as the holder of the key can at any time. */
export async function record(
  lines: readonly ControlLine[],
  spec: Partial<SegmentSpec> = {},
): Promise<void> {
  const commits = [lines.map((line) => formatControlLine(line))];
  await writeSegment(bench.directory, {
    file: CLEANER,
    stream: "cleaner",
    signer,
    commits,
    ...spec,
  });
}

export function prune(ref: SegmentRef, more: object = {}): ControlLine {
  const { file, size, root } = ref;
  const day = `${file.slice(6, 10)}-${file.slice(10, 12)}-${file.slice(12, 14)}`;
  return {
    type: "retention.prune",
    file,
    leaves: size,
    root,
    from: `${day}T08:00:00.000Z`,
    to: `${day}T09:00:00.000Z`,
    policy: "retention 1 day",
    actor: "cron",
    at: "2026-11-23T10:00:00.000Z",
    ...more,
  };
}

export function hold(placed: string): ControlLine {
  const span = { from: "2026-11-20T00:00:00.000Z", to: "2026-11-20T23:00:00.000Z" };
  return {
    type: "retention.hold",
    hold: "H1",
    ...span,
    reason: "lawsuit 12",
    actor: "legal",
    placed,
  };
}

export async function leavesOf(file: string): Promise<Buffer[]> {
  const lines = (await readFile(pathOf(file), "utf8")).split("\n").slice(0, -1);
  return lines
    .filter((line) => !line.startsWith('{"type":"checkpoint"'))
    .map((line) => leafHash(Buffer.from(line)));
}

async function verify(options: VerifyOptions = {}): Promise<Verification> {
  return verifyLog(bench.directory, { trustedKeys: [signer.vkey], now: NOW, ...options });
}

/** Everything that a verification says. */
function textOf({ verdict, files }: Verification): string {
  const found = files.flatMap(({ file, problems, remarks }) => [
    ...problems.map(({ state, message }) => `${state} ${file}: ${message}`),
    ...remarks.map((remark) => `${file}: ${remark}`),
  ]);
  return [verdict, ...found].join("\n");
}

/** The root of the first `size` leaves. */
export function rootAt(leaves: readonly Buffer[], size: number): string {
  const hash = (from: number, to: number): Buffer => {
    const only = leaves[from];
    if (to - from === 1 && only !== undefined) return only;
    let half = 1;
    while (half * 2 < to - from) half *= 2;
    const parts = [Buffer.of(1), hash(from, from + half), hash(from + half, to)];
    return createHash("sha256").update(Buffer.concat(parts)).digest();
  };
  return hash(0, size).toString("base64");
}

const RULES = readFileSync(new URL("../../../../docs/verification.md", import.meta.url), "utf8");

/**
 * Defines a test for each row. `sentences`: those of docs/verification.md that the table holds the
 * verifier to.
 */
export function judges(
  subject: string,
  {
    sentences = [],
    rows,
  }: { readonly sentences?: readonly string[]; readonly rows: readonly Row[] },
): void {
  describe.each([subject])("%s", () => {
    it.each(sentences)("is judged as docs/verification.md says: %s", (sentence) => {
      expect(RULES).toContain(`**${sentence}`);
    });

    it.each(rows)("$what ($exitCode)", async ({ act, exitCode, says }) => {
      const options = await act();
      const result = await verify(options ?? {});
      expect({ exitCode: result.exitCode, text: textOf(result) }).toEqual({
        exitCode,
        text: expect.stringContaining(says),
      });
    });
  });
}
