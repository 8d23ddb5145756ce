// ai-audit anchor: signed states of a log, where its owner cannot change them.
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditError, Signer } from "@ai-audit/core";
import {
  AnchorLog,
  type AnchorRunResult,
  type AnchorSink,
  type AnchorStore,
  anchorStoreAt,
  beginAnchor,
  KnownHeads,
  logSourcesAt,
  readAnchorKey,
  readAnchorState,
  runAnchor,
  timeStampSink,
  witnessSink,
  writeAnchorKey,
  writeAnchorState,
} from "@ai-audit/core/anchor";
import { safeLine } from "@ai-audit/core/format";
import { type Command, Option } from "commander";
import { parseDuration } from "../arguments/times.ts";
import { collect, parseDays } from "../arguments/values.ts";
import { EXIT, Failure, systemFailure, usageFailure } from "../failure.ts";
import { addLocationArgument, resolveLocation } from "../log/location.ts";
import { s3Connection } from "../log/storage.ts";
import { plural } from "../output/format.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { findTrust } from "../verifying/trust.ts";
import { addTrustOption } from "../verifying/verification.ts";

interface AnchorFlags {
  readonly to: string;
  readonly key: string;
  readonly trust: readonly string[];
  readonly init?: true;
  readonly name?: string;
  readonly fromNow?: true;
  readonly retention?: number;
  readonly continues?: string;
  /** Milliseconds. */
  readonly every?: number;
  readonly tsa: readonly string[];
  readonly tsaEvery: number;
  readonly witness: readonly string[];
  readonly copy: readonly string[];
  readonly lock?: number;
  readonly json?: true;
}

const HOUR_MS = 3_600_000;

export function define(command: Command, session: Session): void {
  addTrustOption(addLocationArgument(command))
    .description(
      "Verifies what is new in a log since the last run, and appends its state to an anchor log: a small log of its own, " +
        "under a key of its own, in a place of its own. Run it where the log's owner has no access. `verify --anchor` " +
        "then notices whatever is altered, removed or cut off, also by the holder of the log's signing key. What does " +
        "not verify is named and not anchored, exit code 1.",
    )
    .requiredOption("--to <location>", "the anchor log: a directory, or s3://bucket/prefix")
    .requiredOption("--key <file>", "the anchor log's own key; its state is kept in <file>.state")
    .option("--init", "make the key and the anchor log, and print its verification key")
    .option("--name <name>", "with --init: a name that you own, such as example.com/acme")
    .option("--from-now", "with --init: files of earlier days are neither verified nor anchored")
    .addOption(
      new Option(
        "--retention <days>",
        "with --init: your rule, how long files must be kept; `verify --anchor` judges removals by it",
      ).argParser(parseDays),
    )
    .option("--continues <location>", "with --init: the anchor log that this one replaces")
    .addOption(
      new Option("--every <duration>", "run again and again: 60s, 5m").argParser(parseDuration),
    )
    .addOption(
      new Option("--tsa <url>", "have a time-stamping authority (RFC 3161) confirm; repeatable")
        .default([], "none")
        .argParser(collect),
    )
    .addOption(
      new Option("--tsa-every <duration>", "time between two time-stamps")
        .default(HOUR_MS, "1h")
        .argParser(parseDuration),
    )
    .addOption(
      new Option(
        "--witness <vkey=url>",
        "have a C2SP witness cosign: its key, `=`, and its submission URL; repeatable",
      )
        .default([], "none")
        .argParser(collect),
    )
    .addOption(
      new Option("--copy <location>", "copy the anchor log there as well; repeatable")
        .default([], "none")
        .argParser(collect),
    )
    .addOption(
      new Option("--lock <days>", "in a bucket: Object Lock of each file (COMPLIANCE)").argParser(
        parseDays,
      ),
    )
    .action((location: string | undefined, flags: AnchorFlags) => anchor(location, flags, session));
}

async function anchor(
  given: string | undefined,
  flags: AnchorFlags,
  session: Session,
): Promise<void> {
  const settings = Settings.load(session.env);
  const place = {
    s3: s3Connection(settings),
    ...(flags.lock !== undefined && { lockDays: flags.lock }),
  };
  const store = await anchorStoreAt(flags.to, place);
  if (flags.init) return init(store, flags, session);
  const location = resolveLocation(given, settings);
  const trust = findTrust(flags.trust, settings, location);
  if (trust.keys.length === 0)
    throw usageFailure(
      "no key of the log is given: only what a trusted key sealed is anchored",
      "give --trust VKEY, or set AUDIT_TRUSTED_KEYS",
    );
  const signer = readAnchorKey(flags.key);
  const sinks = sinksOf(flags);
  const copies = await Promise.all(flags.copy.map((copy) => anchorStoreAt(copy, place)));
  const log = await AnchorLog.read(store, signer.vkey);
  let state = readAnchorState(flags.key);
  const heads = new KnownHeads();
  const runOnce = async (): Promise<void> => {
    const run = await runAnchor(log, state, {
      sources: () => logSourcesAt(location, { s3: place.s3, heads, now: session.now() }),
      trustedKeys: trust.keys,
      signer,
      sinks,
      copies,
      now: session.now(),
    });
    state = run.state;
    await writeAnchorState(flags.key, state);
    await print(run.result, flags, session);
    session.exitCode = run.result.exitCode;
  };
  if (flags.every === undefined) return runOnce();
  for (;;) {
    try {
      await runOnce();
    } catch (error) {
      // A refusal is for a person to look at; a place that does not answer may do so next time.
      if (AuditError.isInstance(error) && error.code === "AUDIT_ANCHOR_REFUSED") throw error;
      await session.log.line(safeLine(`this run failed: ${reasonOf(error)}`));
    }
    await session.out.flush();
    await session.log.flush();
    await sleep(flags.every);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function init(store: AnchorStore, flags: AnchorFlags, session: Session): Promise<void> {
  const { name, key, fromNow, retention, continues } = flags;
  if (name === undefined)
    throw usageFailure("an anchor log needs a name", "give --name, such as example.com/acme");
  const signer = await Signer.generate(`${name}/anchor-${randomBytes(4).toString("hex")}`);
  const previous = continues === undefined ? undefined : await lastNoteOf(continues, session);
  const isMade = await writeAnchorKey(key, signer).catch((error: unknown) => {
    throw systemFailure(error, key) ?? error;
  });
  if (!isMade)
    throw new Failure(
      EXIT.cannotCreate,
      `there is a key already: ${key}`,
      "choose another name: a key is for one anchor log",
    );
  const state = await beginAnchor(store, signer, {
    ...(fromNow && { fromNow }),
    ...(retention !== undefined && { retentionDays: retention }),
    ...(previous !== undefined && { previous }),
    now: session.now(),
  });
  await writeAnchorState(key, state);
  await session.out.line(signer.vkey);
  await session.log.line(
    "the anchor log's verification key, for: ai-audit verify --anchor LOCATION --anchor-key VKEY",
  );
}

/** The last checkpoint of an anchor log, as it lies there. Its key may be lost. */
async function lastNoteOf(location: string, { env }: Session): Promise<string> {
  const store = await anchorStoreAt(location, { s3: s3Connection(Settings.load(env)) });
  const last = (await store.list())
    .filter((name) => /^leaf_\d{10}$/.test(name))
    .toSorted()
    .at(-1);
  const text = last === undefined ? undefined : (await store.read(last))?.toString();
  if (text === undefined) throw new Failure(EXIT.missing, `no anchor log there: ${location}`);
  return text.slice(text.indexOf("\n\n") + 2);
}

function sinksOf({ witness, tsa, tsaEvery }: AnchorFlags): AnchorSink[] {
  const witnesses = witness.map((text) => {
    const at = text.search(/=https?:/);
    if (at < 1) throw usageFailure(`not a witness: ${text}`, "give its key, =, and its URL");
    return witnessSink({ vkey: text.slice(0, at), url: text.slice(at + 1) });
  });
  return [...witnesses, ...tsa.map((url) => timeStampSink({ url, everyMs: tsaEvery }))];
}

async function print(
  result: AnchorRunResult,
  { json }: AnchorFlags,
  { out }: Session,
): Promise<void> {
  if (json) return out.json(result);
  const { size, anchored, leftOut, confirmed, failed, hasYielded } = result;
  for (const { file, state, message } of leftOut)
    await out.line(safeLine(`not anchored: ${file}: ${state} ${message}`));
  for (const { sink, reason } of failed)
    await out.line(safeLine(`not confirmed by ${sink}: ${reason}`));
  const by = confirmed.length === 0 ? "" : `, confirmed by ${confirmed.join(" and ")}`;
  await out.line(
    hasYielded
      ? "another anchorer was faster: nothing was written"
      : `anchored ${plural(anchored, "segment")} in leaf ${size - 1}${by}`,
  );
}
