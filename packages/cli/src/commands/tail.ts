// ai-audit tail: the latest entries, and new ones as they are written.
import { setTimeout as sleep } from "node:timers/promises";
import type { AuditStorage } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { parseCount } from "../arguments/values.ts";
import {
  addFilterOptions,
  type FilterFlags,
  filterOf,
  rangeOf,
  requireSearched,
} from "../reading/filters.ts";
import { latestLines } from "../log/latest-lines.ts";
import { addLocationArgument, isBucket } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { entryPrinter } from "../reading/print-entries.ts";
import type { Session } from "../session.ts";

interface TailFlags extends FilterFlags {
  readonly lines: number;
  readonly follow?: true;
  readonly full?: true;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addFilterOptions(addLocationArgument(command), session)
    .description(
      "Shows the latest entries that meet all conditions, and with -f each new one as it is written.",
    )
    .addOption(
      new Option("-n, --lines <count>", "number of entries to begin with")
        .default(10)
        .argParser(parseCount),
    )
    .option("-f, --follow", "wait for new entries, until interrupted")
    .option("--full", "print all fields of each entry")
    .action((location: string | undefined, flags: TailFlags) => tail(location, flags, session));
}

async function tail(given: string | undefined, flags: TailFlags, session: Session): Promise<void> {
  const { storage, settings, location } = await openLog(given, session);
  const filter = await filterOf(flags, settings);
  const print = entryPrinter(session.out, flags, filter.opener);
  const range = rangeOf(flags);
  const follower = flags.follow ? await Follower.begin(storage, session) : undefined;
  const lines = await latestLines(storage, range, flags.lines, filter);
  await print(lines);
  requireSearched(filter);
  if (follower === undefined) return;
  for (;;) {
    await session.out.flush();
    await sleep(isBucket(location) ? POLL_BUCKET_MS : POLL_MS);
    const fresh = (await follower.poll()).filter(
      (line) => !lines.includes(line) && filter.entryOf(line) !== undefined,
    );
    if (fresh.length > 0) await print(fresh);
  }
}

const POLL_MS = 250;
/** Listing a bucket costs money. */
const POLL_BUCKET_MS = 5000;
/**
 * An entry may become readable this much later than its id's time: its process commits it first.
 */
const LATE_MS = 10_000;

/** Lines as they become readable. */
class Follower {
  readonly #storage: AuditStorage;
  readonly #session: Session;
  #printed: ReadonlySet<string> = new Set();
  /** Milliseconds since the epoch. */
  #since: number;

  private constructor(storage: AuditStorage, session: Session) {
    this.#storage = storage;
    this.#session = session;
    this.#since = session.now().getTime() - LATE_MS;
  }

  /** Starts now: entries that can be read already are not new. */
  static async begin(storage: AuditStorage, session: Session): Promise<Follower> {
    const follower = new Follower(storage, session);
    await follower.poll();
    return follower;
  }

  /** The entries that became readable since the last call, by time. */
  async poll(): Promise<string[]> {
    const nextSince = this.#session.now().getTime() - LATE_MS;
    const readable: string[] = [];
    for await (const page of this.#storage.pages({ from: this.#since }, "oldest-first"))
      readable.push(...page);
    const fresh = readable.filter((line) => !this.#printed.has(line));
    this.#printed = new Set(readable);
    this.#since = nextSince;
    return fresh;
  }
}
