// An anchor log as an auditor reads it: its states, its own integrity, and who vouches for them.
import type { AnchorEvidence, AnchoredState, Pin, Problem } from "../verify/verification.ts";
import { formatCheckpoint, parseNote } from "../seal/note.ts";
import { AnchorLog } from "./anchor-log.ts";
import { reasonOf, spellLeaves } from "./sink.ts";
import {
  type AnchorStore,
  type ConfirmationName,
  formatConfirmationName,
  parseConfirmationName,
} from "./store.ts";
import { type TimeStampAuthority, timeOfToken } from "./time-stamp.ts";
import { timeOfCosignature, type WitnessKey } from "./witness.ts";

/** The keys and rules to read an anchor log with. */
export interface EvidenceOptions {
  /** The anchor log's `vkey`. */
  readonly vkey: string;
  readonly witnesses: readonly WitnessKey[];
  readonly authorities: readonly TimeStampAuthority[];
  /** Number of these parties that must vouch for a checkpoint. */
  readonly quorum: number;
  /** Pins of the anchor log's own checkpoints. */
  readonly pins: readonly Pin[];
}

/** Reads an anchor log. What is wrong with it, or that it cannot be reached, is part of the result. */
export async function readAnchorEvidence(
  store: AnchorStore,
  options: EvidenceOptions,
): Promise<AnchorEvidence> {
  const { location } = store;
  let log: AnchorLog;
  try {
    log = await AnchorLog.read(store, options.vkey);
  } catch (error) {
    return unanchored(location, `it cannot be read: ${reasonOf(error)}`);
  }
  const nothing = log.size === 0 && log.flaws.length === 0;
  if (nothing && !options.pins.some(({ origin }) => origin === log.origin))
    return unanchored(location, "there is no anchor log");
  const problems = [...log.flaws.map(problemOf), ...checkPins(log, options.pins)];
  const found = await findVouchers(log, options);
  const parties = options.witnesses.length + options.authorities.length;
  const quorum = parties === 0 ? 0 : Math.max(1, options.quorum);
  const vouchers = found.vouchers.toSorted((a, b) => b.size - a.size || b.time - a.time);
  const [last] = vouchers.slice(quorum - 1, quorum);
  problems.push(...found.problems);
  if (quorum > 0 && last === undefined) {
    problems.push({
      state: "UNANCHORED",
      line: 0,
      message: `${vouchers.length} of the parties given vouch for it, and ${quorum} must`,
    });
  }
  const own = log.records.at(-1)?.leaf.at;
  const through = quorum === 0 ? own : last && new Date(last.time).toISOString();
  const by =
    last === undefined || quorum === 0 ? [] : vouchers.filter(({ size }) => size >= last.size);
  const begin = log.records[0]?.leaf;
  const root = log.rootAt(log.size) ?? "";
  const head = log.note !== undefined && {
    origin: log.origin,
    size: log.size,
    root,
    note: log.note,
  };
  const days = begin?.type === "anchor.begin" ? begin.retention : null;
  return {
    location,
    states: statesOf(log),
    problems,
    rules: days === null ? [] : [{ days }],
    report: {
      origin: log.origin,
      leaves: log.size,
      ...(head && { head }),
      ...(through !== undefined && { through }),
      ...(found.earliest !== undefined && { since: new Date(found.earliest).toISOString() }),
      by: by.map(({ name }) => name),
      remarks: remarksOf(log),
    },
  };
}

function unanchored(location: string, message: string): AnchorEvidence {
  const problem: Problem = { state: "UNANCHORED", line: 0, message };
  const report = { leaves: 0, by: [], remarks: [] };
  return { location, states: [], problems: [problem], rules: [], report };
}

function problemOf({ state, message }: { state: Problem["state"]; message: string }): Problem {
  return { state, line: 0, message };
}

/** All states, each with its run's time. */
function statesOf(log: AnchorLog): AnchoredState[] {
  const last = new Map<string, number>();
  for (const { states } of log.records)
    for (const { origin, size } of states) last.set(origin, Math.max(size, last.get(origin) ?? 0));
  return log.records.flatMap(({ leaf, states }) =>
    states.map((state) => ({
      ...state,
      by: `the anchor of ${leaf.at}`,
      isEarlier: state.size < (last.get(state.origin) ?? 0),
    })),
  );
}

function remarksOf(log: AnchorLog): string[] {
  const begin = log.records[0]?.leaf;
  if (begin?.type !== "anchor.begin") return [];
  return [
    ...(begin.since === "now" ? [`files before ${begin.at.slice(0, 10)} were not verified`] : []),
    ...(begin.previous === null ? [] : [`this anchor log continues another one since ${begin.at}`]),
  ];
}

/** Pins of the anchor log's own checkpoints: it must contain each of them. */
function checkPins(log: AnchorLog, pins: readonly Pin[]): Problem[] {
  return pins
    .filter(({ origin }) => origin === log.origin)
    .flatMap(({ size, root }): Problem[] => {
      if (size > log.size) {
        const message = `it has ${spellLeaves(log.size)}, and a pin records ${size}`;
        return [{ state: "ROLLBACK", line: 0, message }];
      }
      if (log.rootAt(size) === root) return [];
      const message = `another history: not what a pin records at ${spellLeaves(size)}`;
      return [{ state: "FORK", line: 0, message }];
    });
}

/** The newest checkpoint that one party vouches for. */
interface Voucher {
  readonly name: string;
  readonly size: number;
  readonly time: number;
}

interface Vouchers {
  readonly vouchers: readonly Voucher[];
  readonly problems: readonly Problem[];
  readonly earliest: number | undefined;
}

/** Reads confirmations from the newest on, until each party has one that verifies. */
async function findVouchers(log: AnchorLog, options: EvidenceOptions): Promise<Vouchers> {
  const names = log.names
    .map(parseConfirmationName)
    .filter((name) => name !== undefined)
    .toSorted((a, b) => b.size - a.size);
  const found = new Map<string, Voucher>();
  const problems: Problem[] = [];
  const parties = new Set([
    ...options.witnesses.map(({ name }) => name),
    ...options.authorities.map(({ name }) => name),
  ]);
  const look = async (
    list: readonly ConfirmationName[],
    into: Map<string, Voucher>,
  ): Promise<void> => {
    for (const name of list) {
      if (into.size === parties.size) return;
      if (name.extension === "tsr") continue;
      const voucher = await readConfirmation(log, name, options);
      if (voucher === undefined) continue;
      if ("message" in voucher) problems.push({ line: 0, ...voucher });
      else if (!into.has(voucher.name)) into.set(voucher.name, voucher);
    }
  };
  await look(names, found);
  const first = new Map<string, Voucher>();
  const flaws = problems.length;
  await look(names.toReversed(), first);
  problems.length = flaws; // the newest are what the verdict rests on
  const times = [...first.values()].map(({ time }) => time);
  return {
    vouchers: [...found.values()],
    problems,
    earliest: times.length === 0 ? undefined : Math.min(...times),
  };
}

/**
 * What one confirmation is worth: undefined where no party that was given made it, a problem where
 * one did for another history, or its signature does not verify.
 */
async function readConfirmation(
  log: AnchorLog,
  name: ConfirmationName,
  { witnesses, authorities }: EvidenceOptions,
): Promise<Voucher | Pick<Problem, "state" | "message"> | undefined> {
  const data = await log.store.read(formatConfirmationName(name));
  const note = data?.toString() ?? "";
  const what = `${name.kind === "tsa" ? "time-stamp" : "cosignature"} of ${name.by} at ${spellLeaves(name.size)}`;
  const voucher = await voucherOf(log, name, note, { witnesses, authorities });
  if (voucher === undefined) return undefined;
  if (voucher === null) return { state: "TAMPERED", message: `the ${what} does not verify` };
  if (name.size > log.size) {
    const message = `it has ${spellLeaves(log.size)}, and the ${what} is there`;
    return { state: "ROLLBACK", message };
  }
  const root = log.rootAt(name.size) ?? "";
  const text = formatCheckpoint({ origin: log.origin, size: name.size, root });
  if (parseNote(note)?.text !== text || !log.isSigned(note))
    return { state: "FORK", message: `another history: not the checkpoint of the ${what}` };
  return voucher;
}

async function voucherOf(
  log: AnchorLog,
  name: ConfirmationName,
  note: string,
  { witnesses, authorities }: Pick<EvidenceOptions, "witnesses" | "authorities">,
): Promise<Voucher | null | undefined> {
  const { size } = name;
  if (name.kind === "witness") {
    for (const key of witnesses) {
      const time = timeOfCosignature(note, key);
      if (time === null) return null;
      if (time !== undefined) return { name: key.name, size, time };
    }
    return undefined;
  }
  const token = await log.store.read(formatConfirmationName({ ...name, extension: "tsr" }));
  if (token === undefined || authorities.length === 0) return undefined;
  const stamp = timeOfToken(token, Buffer.from(note), authorities);
  return stamp && { name: stamp.authority.name, size, time: stamp.time };
}
