// ai-audit hold: what must not be removed, whatever its age.
import { type Hold, lineToEntry, listHolds, placeHold, releaseHold } from "@ai-audit/core";
import type { Command } from "commander";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { addRangeOptions, Filter, type RangeFlags, rangeOf } from "../filters.ts";
import { findEntryLine } from "../find-entry.ts";
import { addLocationArgument, addLogOption, resolveDirectory } from "../location.ts";
import { openLog, type OpenLog } from "../log.ts";
import { Table } from "../output/table.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings.ts";
import { addActorOption, defaultActor, needSigner } from "../writing.ts";

interface PlaceFlags extends RangeFlags {
  readonly reason: string;
  readonly actor?: string;
  readonly entry?: string;
  readonly conversation?: string;
  readonly all?: true;
  readonly json?: true;
}

interface ReleaseFlags {
  readonly log?: string;
  readonly reason: string;
  readonly actor?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  command.description(
    "Keeps files from removal by retention: every file with an entry of the time held, until the hold is released. Holds " +
      "and releases stand in the log, sealed like everything in it. It works on a directory: a hold that was shipped with its " +
      "segment counts in the bucket too, and objects of a bucket are held by S3's own legal hold (docs/s3.md).",
  );
  addActorOption(addRangeOptions(addLocationArgument(command.command("place")), session))
    .summary("keep entries of a time from removal")
    .description("Holds a time, or the time of an entry or a conversation. Prints the hold's id.")
    .requiredOption("--reason <text>", "why, for the log")
    .option("--entry <id>", "hold this entry")
    .option("--conversation <id>", "hold from the first entry of this conversation to its last")
    .option("--all", "hold everything, also what is yet to come")
    .action((location: string | undefined, flags: PlaceFlags) => place(location, flags, session));
  addActorOption(addLogOption(command.command("release").argument("<hold>", "id of the hold")))
    .summary("end a hold")
    .description("Ends a hold: what it kept is subject to retention again.")
    .requiredOption("--reason <text>", "why, for the log")
    .action((id: string, flags: ReleaseFlags) => release(id, flags, session));
  addLocationArgument(command.command("list"))
    .summary("show the holds in force")
    .description("Shows the holds in force.")
    .action((location: string | undefined, { json }: { readonly json?: true }) => list(location, json, session));
}

async function place(given: string | undefined, flags: PlaceFlags, session: Session): Promise<void> {
  const log = await openLog(given, session);
  resolveDirectory(given, log.settings, "hold");
  const range = await heldRange(flags, log);
  const signer = await needSigner(log.location, log.settings);
  const { reason, actor = defaultActor() } = flags;
  const hold = await placeHold(log.location, { ...range, reason, actor, ...(signer && { signer }) });
  await (flags.json ? session.out.json({ hold }) : session.out.line(hold));
  await session.log.line(`held; end it with: ai-audit hold release ${hold} --reason TEXT`);
}

async function heldRange(flags: PlaceFlags, log: OpenLog): Promise<{ from?: Date; to?: Date }> {
  const { entry, conversation, all, since, until } = flags;
  const byTime = since !== undefined || until !== undefined;
  const ways = [entry !== undefined, conversation !== undefined, all === true, byTime].filter(Boolean).length;
  if (ways !== 1) {
    throw usageFailure("what to hold is not clear", "give one of: --since and --until, --entry, --conversation, --all");
  }
  if (entry !== undefined) {
    const line = await findEntryLine(log.storage, log.location, entry);
    return timesOf([line], `entry ${entry}`);
  }
  if (conversation !== undefined) return conversationRange(conversation, log);
  const { from, to } = rangeOf(flags);
  return { ...(from !== undefined && { from: new Date(from) }), ...(to !== undefined && { to: new Date(to) }) };
}

async function conversationRange(
  conversation: string,
  { storage, settings }: OpenLog,
): Promise<{ from: Date; to: Date }> {
  const filter = await Filter.of({ conversation }, settings);
  let first: string | undefined;
  let last: string | undefined;
  for await (const page of storage.pages({}, "oldest-first")) {
    for (const line of page.filter((candidate) => filter.entryOf(candidate) !== undefined)) {
      first ??= line;
      last = line;
    }
  }
  return timesOf([first ?? [], last ?? []].flat(), `conversation ${conversation}`);
}

/** From the first line's time to the last one's. */
function timesOf(lines: readonly string[], what: string): { from: Date; to: Date } {
  const times = lines.flatMap((line) => lineToEntry(line)?.timestamp ?? []).map((timestamp) => new Date(timestamp));
  const [from] = times;
  const to = times.at(-1);
  if (from === undefined || to === undefined) throw new Failure(EXIT.nothing, `no ${what} in the log`);
  return { from, to };
}

async function release(id: string, flags: ReleaseFlags, session: Session): Promise<void> {
  const settings = Settings.load(session.env);
  const location = resolveDirectory(flags.log, settings, "hold");
  const signer = await needSigner(location, settings);
  const { reason, actor = defaultActor() } = flags;
  if (!(await listHolds(location)).some((hold) => hold.id === id)) {
    throw new Failure(EXIT.nothing, `no hold ${id} is in force`, "holds are shown by: ai-audit hold list");
  }
  await releaseHold(location, id, { reason, actor, ...(signer && { signer }) });
  await (flags.json ? session.out.json({ released: id }) : session.out.line(`released ${id}`));
}

async function list(given: string | undefined, json: true | undefined, session: Session): Promise<void> {
  const holds = await listHolds(resolveDirectory(given, Settings.load(session.env), "hold"));
  if (json) return session.out.json(holds);
  if (holds.length === 0) return session.log.line("no hold is in force");
  await new Table<Hold>(session.out, [
    { title: "HOLD", value: ({ id }) => id },
    { title: "FROM", value: ({ from }) => from ?? "the beginning" },
    { title: "TO", value: ({ to }) => to ?? "the end" },
    { title: "ACTOR", value: ({ actor }) => actor },
    { title: "REASON", value: ({ reason }) => reason },
  ]).rows(holds);
}
