// Anchors a log from inside the process that writes it, beside the writing and never in its way.
import { existsSync } from "node:fs";
import { clearTimeout, setTimeout } from "node:timers";
import { AnchorLog } from "../anchor/anchor-log.ts";
import {
  type AnchorRunResult,
  type AnchorState,
  type LeftOut,
  runAnchor,
} from "../anchor/anchorer.ts";
import { readAnchorKey, readAnchorState, writeAnchorState } from "../anchor/key-file.ts";
import { type AnchorSink, reasonOf } from "../anchor/sink.ts";
import { AuditConfigError, AuditError } from "../errors.ts";
import { anything, atLeast, moreThan, optionsOf, text } from "../options.ts";
import type { Signer } from "../seal/signer.ts";
import { KnownHeads } from "../storage/s3/known-heads.ts";
import type { S3Connection } from "../storage/s3/options.ts";
import { readTrustedKeys } from "../verify/trusted-keys.ts";
import { anchorStoreAt } from "./anchor-store.ts";
import { logSourcesAt } from "./location.ts";

/** The log to anchor, the anchor log, and the parties that confirm it. */
export interface LogAnchorOptions {
  /** The log: a directory, or `s3://bucket/prefix`. */
  readonly log: string;
  /** `vkey`s that seal it: the signer's own. Only what they sealed is anchored. */
  readonly trustedKeys: readonly string[];
  /** The anchor log: a directory, or `s3://bucket/prefix`. `ai-audit anchor --init` makes it. */
  readonly to: string;
  /** File of the anchor log's key. Its state lies beside it, in `<key>.state`. */
  readonly key: string;
  /** Milliseconds between two runs. @default 60000 */
  readonly everyMs?: number;
  /** Parties that confirm: see `timeStampSink` and `witnessSink`. @default none */
  readonly sinks?: readonly AnchorSink[];
  /** Places that get every file of the anchor log. @default none */
  readonly copies?: readonly string[];
  /** Settings for buckets. @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
  /** In a bucket: days of Object Lock for each file (COMPLIANCE). @default the bucket's rule */
  readonly lockDays?: number;
  /** Milliseconds that `close()` waits for a last run. @default 5000 */
  readonly closeTimeoutMs?: number;
}

/** How far a log is anchored. */
export interface AnchorStatus {
  /**
   * Milliseconds since the anchor log's newest leaf: what was sealed before that is anchored. Null
   * before the first run.
   */
  readonly lagMs: number | null;
  /** Leaves of the anchor log. */
  readonly leaves: number;
  readonly sinks: readonly SinkStatus[];
  /** Files that do not verify and were not anchored in the last run. */
  readonly leftOut: readonly LeftOut[];
  /** The reason why the last run failed. The next one tries again, unless `isStopped`. */
  readonly lastError: Error | undefined;
  /** The anchor log was refused (`AUDIT_ANCHOR_REFUSED`): no run follows. */
  readonly isStopped: boolean;
}

/** A party or a copy. */
export interface SinkStatus {
  readonly name: string;
  /** Milliseconds since it last confirmed; null: never, or a copy. */
  readonly lagMs: number | null;
  /** The reason why it did not confirm when last asked. It is asked again in each run. */
  readonly failure: string | undefined;
}

const checkOptions: (given: unknown) => void = optionsOf<LogAnchorOptions>("LogAnchor", {
  log: text,
  trustedKeys: anything,
  to: text,
  key: text,
  everyMs: moreThan(0),
  sinks: anything,
  copies: anything,
  s3: anything,
  lockDays: atLeast(1),
  closeTimeoutMs: atLeast(0),
});

/**
 * Anchors a log while a program writes it. Runs begin at once and then every `everyMs`, one at a
 * time, and keep no process alive. Give it to the logger, which closes it.
 *
 * @example
 * const log = "./audit-logs";
 * const anchor = new LogAnchor({ log, trustedKeys: [signer.vkey], to: "s3://anchors/acme", key });
 * const logger = new AuditLogger(new FileStorage({ path: log, signer }), { anchor });
 */
export class LogAnchor {
  readonly #options: LogAnchorOptions;
  readonly #signer: Signer;
  readonly #heads = new KnownHeads();
  #state: AnchorState;
  #log: AnchorLog | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #last: AnchorRunResult | undefined;
  #lastError: Error | undefined;
  #isStopped = false;
  #isClosed = false;
  #onProblem: ((error: AuditError) => void) | undefined;

  /**
   * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` for an option that cannot be used, or where
   * the key or its state cannot be read; `AUDIT_KEY_INVALID` for a malformed key
   */
  constructor(options: LogAnchorOptions) {
    checkOptions(options);
    readTrustedKeys(options.trustedKeys);
    if (options.trustedKeys.length === 0)
      throw new AuditConfigError("LogAnchor: trustedKeys must have the vkey of the log's signer");
    this.#options = options;
    this.#signer = readAnchorKey(options.key);
    this.#state = readAnchorState(options.key);
    this.#schedule(0);
  }

  #schedule(delayMs: number): void {
    if (this.#isClosed || this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#tick(), delayMs).unref();
  }

  async #tick(): Promise<void> {
    const { everyMs = 60_000 } = this.#options;
    const begun = performance.now();
    await this.run().catch(() => undefined); // kept and reported
    this.#schedule(Math.max(0, begun + everyMs - performance.now()));
  }

  /** Registers `listener` for runs that fail, and for files that do not verify. */
  onProblem(listener: (error: AuditError) => void): void {
    this.#onProblem = listener;
  }

  /**
   * One run, after those that were asked for before: what is sealed by now is anchored then.
   * @throws {AuditError} `AUDIT_ANCHOR_REFUSED` where the anchor log is altered, or behind what
   * was seen of it; the errors of the log's and the anchor's places
   */
  async run(): Promise<AnchorRunResult> {
    const run = this.#running.then(() => this.#run());
    this.#running = run.catch(() => undefined); // its caller has the error
    return run;
  }

  async #run(): Promise<AnchorRunResult> {
    try {
      const result = await this.#anchor();
      this.#last = result;
      this.#lastError = undefined;
      if (result.exitCode === 1)
        this.#report(new AuditError("AUDIT_ANCHOR_REFUSED", flawOf(result)));
      return result;
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      const isRefused = AuditError.isInstance(error) && error.code === "AUDIT_ANCHOR_REFUSED";
      if (isRefused) this.#isStopped = true; // for a person to look at
      this.#lastError = failure;
      this.#report(
        AuditError.isInstance(error)
          ? error
          : new AuditError("AUDIT_READ_FAILED", `the log was not anchored: ${reasonOf(error)}`, {
              cause: error,
            }),
      );
      throw failure;
    }
  }

  #report(error: AuditError): void {
    this.#onProblem?.(error);
  }

  async #anchor(): Promise<AnchorRunResult> {
    const { log, trustedKeys, to, key, sinks = [], copies = [], s3, lockDays } = this.#options;
    const place = { ...(s3 && { s3 }), ...(lockDays !== undefined && { lockDays }) };
    this.#log ??= await AnchorLog.read(await anchorStoreAt(to, place), this.#signer.vkey);
    const isThere = log.startsWith("s3://") || existsSync(log); // the first entry makes it
    const { result, state } = await runAnchor(this.#log, this.#state, {
      sources: async () =>
        isThere ? logSourcesAt(log, { ...(s3 && { s3 }), heads: this.#heads }) : [],
      trustedKeys,
      signer: this.#signer,
      sinks,
      copies: await Promise.all(copies.map((copy) => anchorStoreAt(copy, place))),
    });
    this.#state = state;
    await writeAnchorState(key, state);
    return result;
  }

  /** How far the log is anchored. `now` in milliseconds since the epoch. */
  status(now: number = Date.now()): AnchorStatus {
    const at = this.#log?.records.at(-1)?.leaf.at;
    const failures = new Map(this.#last?.failed.map(({ sink, reason }) => [sink, reason]));
    const names = [...(this.#options.sinks ?? []).map(({ name }) => name), ...failures.keys()];
    return {
      lagMs: at === undefined ? null : now - Date.parse(at),
      leaves: this.#log?.size ?? this.#state.size,
      sinks: [...new Set(names)].map((name) => {
        const confirmed = this.#state.sinks[name]?.at;
        const lagMs = confirmed === undefined ? null : now - Date.parse(confirmed);
        return { name, lagMs, failure: failures.get(name) };
      }),
      leftOut: this.#last?.leftOut ?? [],
      lastError: this.#lastError,
      isStopped: this.#isStopped,
    };
  }

  /**
   * Ends the runs with a last one, which anchors what was sealed meanwhile. After `closeTimeoutMs`
   * it is no longer waited for. Never rejects: `status()` has the reason.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const { closeTimeoutMs = 5000 } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closeTimeoutMs);
    });
    await Promise.race([this.#lastRun(), late]);
    clearTimeout(timer);
  }

  async #lastRun(): Promise<void> {
    await this.#running;
    if (!this.#isStopped) await this.run().catch(() => undefined);
  }
}

function flawOf({ leftOut, failed }: AnchorRunResult): string {
  const files = leftOut.map(({ file, state, message }) => `${file}: ${state} ${message}`);
  const sinks = failed.filter(({ isRollback }) => isRollback).map(({ reason }) => reason);
  return `not everything was anchored: ${[...files, ...sinks].join("; ")}`;
}
