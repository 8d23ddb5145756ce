// ai-audit ship: closed segments into an archive, now.
import { statSync } from "node:fs";
import { join } from "node:path";
import { FileStorage, type FileStorageOptions } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { addLocationArgument, isBucket, resolveDirectory } from "../log/location.ts";
import { plural } from "../output/format.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { openArchive } from "../log/storage.ts";

interface ShipFlags {
  readonly to?: string;
  readonly json?: true;
}

type Archive = NonNullable<FileStorageOptions["archive"]>;

/** One segment that the archive has confirmed. */
interface Shipped {
  readonly file: string;
  readonly location: string;
}

export function define(command: Command, session: Session): void {
  addLocationArgument(command)
    .description(
      "Copies every closed segment that the archive lacks, byte for byte, and checks the copies. Nothing is removed from the directory. An application whose FileStorage has an `archive` does this by itself.",
    )
    .addOption(
      new Option("--to <location>", "the archive: s3://bucket/prefix").default(
        undefined,
        "AUDIT_ARCHIVE",
      ),
    )
    .action((location: string | undefined, flags: ShipFlags) => ship(location, flags, session));
}

async function ship(
  given: string | undefined,
  { to, json }: ShipFlags,
  session: Session,
): Promise<void> {
  const { out } = session;
  const settings = Settings.load(session.env);
  const location = resolveDirectory(given, settings, "ship");
  const target = to ?? settings.get("AUDIT_ARCHIVE")?.value;
  if (target === undefined)
    throw usageFailure("no archive is named", "give --to s3://bucket/prefix, or set AUDIT_ARCHIVE");
  if (!isBucket(target))
    throw usageFailure(`an archive is in a bucket: ${target}`, "such as s3://bucket/prefix");
  const shipped: Shipped[] = [];
  const errors: Error[] = [];
  const bucket = await openArchive(target, settings, (error) => errors.push(error));
  const progress = new Progress(session, "shipping", () => plural(shipped.length, "segment"));
  let totalBytes = 0;
  let sentBytes = 0;
  const archive: Archive = {
    keepLocalDays: Infinity,
    onError: bucket.onError,
    onWaiting: (files) => {
      totalBytes = sentBytes;
      for (const file of files)
        totalBytes += statSync(join(location, file), { throwIfNoEntry: false })?.size ?? 0;
    },
    store: async (segment) => {
      const metered = countingReads(segment, (bytes) => {
        sentBytes += bytes;
        progress.update(Math.min(1, sentBytes / totalBytes));
      });
      const place = await bucket.store(metered);
      shipped.push({ file: segment.file, location: place });
      return place;
    },
  };
  await new FileStorage({ path: location, archive }).close(); // closing ships the missing segments
  progress.clear();
  if (json) await out.json({ shipped, errors: errors.map(({ message }) => message) });
  else {
    for (const { file, location: place } of shipped) await out.line(`${file}  ${place}`);
    await out.line(`${plural(shipped.length, "segment")} shipped`);
  }
  const [first] = errors;
  if (first === undefined) return;
  const others = errors.length > 1 ? ` (and ${plural(errors.length - 1, "more failure")})` : "";
  throw new Failure(
    EXIT.io,
    first.message + others,
    "shipped segments stay; run the command again for the others",
    {
      cause: first,
    },
  );
}

type ClosedSegment = Parameters<Archive["store"]>[0];

/**
 * The segment, reporting the bytes that are read from it. Bytes read again by a retry count once.
 */
function countingReads(segment: ClosedSegment, onRead: (bytes: number) => void): ClosedSegment {
  let readTo = 0;
  return {
    ...segment,
    read: async (from, to) => {
      const bytes = await segment.read(from, to);
      onRead(Math.max(0, to - readTo));
      readTo = Math.max(readTo, to);
      return bytes;
    },
  };
}
