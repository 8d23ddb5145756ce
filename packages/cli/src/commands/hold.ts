// ai-audit hold: keeps entries from removal, whatever their age.
import { type Hold, listHolds, placeHold, releaseHold } from "@ai-audit/core";
import { lineToEntry } from "@ai-audit/core/format";
import type { Command } from "commander";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { addRangeOptions, filterOf, type RangeFlags, rangeOf } from "../reading/filters.ts";
import { findEntryLine } from "../log/find-entry.ts";
import { addLocationArgument, resolveLocation } from "../log/location.ts";
import { openLog, type OpenLog } from "../log/open-log.ts";
import { Table } from "../output/table.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { s3Connection } from "../log/storage.ts";
import { addActorOption, defaultActor, findSigner, needSigner } from "../keeping/writing.ts";

interface PlaceFlags extends RangeFlags {
  readonly reason: string;
  readonly actor?: string;
  readonly entry?: string;
  readonly conversation?: string;
  readonly all?: true;
  readonly json?: true;
}

interface ReleaseFlags {
  readonly reason: string;
  readonly actor?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  command.description(
    "Keeps files from removal by retention until the hold is released: every file with an entry of the time held, and in a bucket every day of that time. Holds and releases are recorded in the log and sealed. A hold placed in a directory also counts in the bucket that its segments are shipped to. The lifecycle rules of a bucket ignore holds.",
  );
  addActorOption(addRangeOptions(addLocationArgument(command.command("place")), session))
    .summary("keep entries of a time from removal")
    .description("Holds a time, or the time of an entry or a conversation. Prints the hold's id.")
    .requiredOption("--reason <text>", "why, for the log")
    .option("--entry <id>", "hold this entry")
    .option("--conversation <id>", "hold from the first entry of this conversation to its last")
    .option("--all", "hold all entries, future ones included")
    .action((location: string | undefined, flags: PlaceFlags) => place(location, flags, session));
  addActorOption(
    addLocationArgument(command.command("release").argument("<hold>", "id of the hold")),
  )
    .summary("end a hold")
    .description("Ends a hold: retention applies to its files again.")
    .requiredOption("--reason <text>", "why, for the log")
    .action((id: string, location: string | undefined, flags: ReleaseFlags) =>
      release(id, location, flags, session),
    );
  addLocationArgument(command.command("list"))
    .summary("show the holds in force")
    .description("Shows the holds in force.")
    .action((location: string | undefined, { json }: { readonly json?: true }) =>
      list(location, json, session),
    );
}

async function place(
  given: string | undefined,
  flags: PlaceFlags,
  session: Session,
): Promise<void> {
  const log = await openLog(given, session, new Progress(session, "searching"));
  const range = await heldRange(flags, log);
  const signer = await needSigner(log.location, log.settings);
  const { reason, actor = defaultActor() } = flags;
  const s3 = s3Connection(log.settings);
  const hold = await placeHold(log.location, { ...range, reason, actor, signer, s3 });
  await (flags.json ? session.out.json({ hold }) : session.out.line(hold));
  await session.log.line(
    `held; to end the hold: ai-audit hold release ${hold} ${log.location} --reason TEXT`,
  );
}

async function heldRange(flags: PlaceFlags, log: OpenLog): Promise<{ from?: Date; to?: Date }> {
  const { entry, conversation, all, since, until } = flags;
  const byTime = since !== undefined || until !== undefined;
  const ways = [entry !== undefined, conversation !== undefined, all === true, byTime].filter(
    Boolean,
  ).length;
  if (ways !== 1) {
    throw usageFailure(
      "it is not clear what to hold",
      "give one of: --since and --until, --entry, --conversation, --all",
    );
  }
  if (entry !== undefined) {
    const line = await findEntryLine(log.storage, log.location, entry);
    return timesOf([line], `entry ${entry}`);
  }
  if (conversation !== undefined) return conversationRange(conversation, log);
  const { from, to } = rangeOf(flags);
  return {
    ...(from !== undefined && { from: new Date(from) }),
    ...(to !== undefined && { to: new Date(to) }),
  };
}

async function conversationRange(
  conversation: string,
  { storage, settings }: OpenLog,
): Promise<{ from: Date; to: Date }> {
  const filter = await filterOf({ conversation }, settings);
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
  const times = lines
    .flatMap((line) => lineToEntry(line)?.timestamp ?? [])
    .map((timestamp) => new Date(timestamp));
  const [from] = times;
  const to = times.at(-1);
  if (from === undefined || to === undefined)
    throw new Failure(EXIT.nothing, `no ${what} in the log`);
  return { from, to };
}

async function release(
  id: string,
  given: string | undefined,
  flags: ReleaseFlags,
  session: Session,
): Promise<void> {
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  const signer = await needSigner(location, settings);
  const { reason, actor = defaultActor() } = flags;
  const s3 = s3Connection(settings);
  if (!(await listHolds(location, { vkey: signer?.vkey, s3 })).some((hold) => hold.id === id)) {
    throw new Failure(
      EXIT.nothing,
      `no hold ${id} is in force`,
      "to see the holds: ai-audit hold list",
    );
  }
  await releaseHold(location, id, { reason, actor, signer, s3 });
  await (flags.json ? session.out.json({ released: id }) : session.out.line(`released ${id}`));
}

async function list(
  given: string | undefined,
  json: true | undefined,
  session: Session,
): Promise<void> {
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  // A release under the key of the log's writers counts as well as one under the key of the hold.
  const holds = await listHolds(location, {
    vkey: findSigner(settings)?.vkey,
    s3: s3Connection(settings),
  });
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
