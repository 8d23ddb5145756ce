// A log of three days and its anchor log, for these tests: real files, made by the code that makes
// them everywhere.
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { AnchorLog } from "../../src/anchor/anchor-log.ts";
import {
  type AnchorRunOptions,
  type AnchorRunResult,
  type AnchorState,
  beginAnchor,
  runAnchor,
} from "../../src/anchor/anchorer.ts";
import { directoryStore } from "../../src/anchor/store.ts";
import type { SegmentRef } from "../../src/format/control-line.ts";
import { logSourcesAt } from "../../src/log/location.ts";
import { type VerifyOptions, verifyLog } from "../../src/log/verify-log.ts";
import { Signer } from "../../src/seal/signer.ts";
import type { Verification } from "../../src/verify/verification.ts";
import { NOW, writeSegment } from "../verify/log-builder.ts";

export const OLD = "audit_20261120.jsonl";
export const NEXT = "audit_20261121.jsonl";
export const TODAY = "audit_20261123.jsonl";
export const CLEANER = "audit_20261123_050.jsonl";
export const signer: Signer = await Signer.generate("acme");
export const anchorer: Signer = await Signer.generate("example.com/acme/anchor-1");

/** A log, and an anchor log of it in another directory. */
export class AnchoredLog {
  readonly directory: string;
  readonly anchor: string;
  readonly old: SegmentRef;
  readonly next: SegmentRef;
  readonly today: SegmentRef;
  state: AnchorState;
  readonly #log: AnchorLog;

  private constructor(
    place: Pick<AnchoredLog, "directory" | "anchor" | "old" | "next" | "today">,
    log: AnchorLog,
    state: AnchorState,
  ) {
    this.directory = place.directory;
    this.anchor = place.anchor;
    this.old = place.old;
    this.next = place.next;
    this.today = place.today;
    this.#log = log;
    this.state = state;
  }

  /**
   * Two closed segments of one writer and one of today by another, which is open. Nothing is
   * anchored yet. The owner of the anchor expects files to be kept for a year.
   */
  static async make(begin: { readonly fromNow?: boolean } = {}): Promise<AnchoredLog> {
    const directory = await temporaryDirectory();
    const anchor = await temporaryDirectory();
    const old = await writeSegment(directory, { file: OLD, signer });
    const next = await writeSegment(directory, { file: NEXT, seq: 1, signer, prev: old });
    const today = await writeSegment(directory, {
      file: TODAY,
      stream: "streamB",
      signer,
      seen: [old, next],
      end: "unclosed",
    });
    const store = directoryStore(anchor);
    const state = await beginAnchor(store, anchorer, { retentionDays: 365, now: NOW, ...begin });
    const log = await AnchorLog.read(store, anchorer.vkey);
    return new AnchoredLog({ directory, anchor, old, next, today }, log, state);
  }

  /** The same log with another place, state or key of the anchorer. */
  static async resume(
    log: AnchoredLog,
    anchor: string,
    state: AnchorState,
    key: Signer = anchorer,
  ): Promise<AnchoredLog> {
    const read = await AnchorLog.read(directoryStore(anchor), key.vkey);
    const { directory, old, next, today } = log;
    return new AnchoredLog({ directory, anchor, old, next, today }, read, state);
  }

  /** One run of the anchorer. */
  async run(options: Partial<AnchorRunOptions> = {}): Promise<AnchorRunResult> {
    const { result, state } = await runAnchor(this.#log, this.state, {
      sources: () => logSourcesAt(this.directory),
      trustedKeys: [signer.vkey],
      signer: anchorer,
      now: NOW,
      ...options,
    });
    this.state = state;
    return result;
  }

  /** The verdict of an auditor who has both keys and the anchor log. */
  async verify(options: VerifyOptions = {}): Promise<Verification> {
    return verifyLog(this.directory, {
      trustedKeys: [signer.vkey],
      anchors: [{ location: this.anchor, vkey: anchorer.vkey }],
      now: NOW,
      ...options,
    });
  }
}

/** Everything that a verification says. */
export function textOf({ verdict, files }: Verification): string {
  const found = files.flatMap(({ file, problems, remarks }) => [
    ...problems.map(({ state, message }) => `${state} ${file}: ${message}`),
    ...remarks.map((remark) => `${file}: ${remark}`),
  ]);
  return [verdict, ...found].join("\n");
}
