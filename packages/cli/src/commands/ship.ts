// ai-audit ship: closed segments into an archive, now.
import { FileStorage, type FileStorageOptions } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { addLocationArgument, isBucket, resolveDirectory } from "../location.ts";
import { plural } from "../output/format.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings.ts";
import { openArchive } from "../storage.ts";

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
      "Copies every closed segment that the archive lacks, byte for byte, and checks what arrived. Nothing is removed here. " +
        "An application whose FileStorage has an `archive` does so by itself; this is for one that has none, and for now.",
    )
    .addOption(new Option("--to <location>", "the archive: s3://bucket/prefix").default(undefined, "AUDIT_ARCHIVE"))
    .action((location: string | undefined, flags: ShipFlags) => ship(location, flags, session));
}

async function ship(given: string | undefined, { to, json }: ShipFlags, session: Session): Promise<void> {
  const { out } = session;
  const settings = Settings.load(session.env);
  const location = resolveDirectory(given, settings, "ship");
  const target = to ?? settings.get("AUDIT_ARCHIVE")?.value;
  if (target === undefined)
    throw usageFailure("no archive is named", "give --to s3://bucket/prefix, or set AUDIT_ARCHIVE");
  if (!isBucket(target)) throw usageFailure(`an archive is in a bucket: ${target}`, "such as s3://bucket/prefix");
  const shipped: Shipped[] = [];
  const errors: Error[] = [];
  const bucket = await openArchive(target, settings, (error) => errors.push(error));
  const archive: Archive = {
    keepLocalDays: Infinity,
    onError: bucket.onError,
    store: async (segment) => {
      const place = await bucket.store(segment);
      shipped.push({ file: segment.file, location: place });
      return place;
    },
  };
  await new FileStorage({ path: location, archive }).close(); // which ships what the archive lacks
  if (json) await out.json({ shipped, errors: errors.map(({ message }) => message) });
  else {
    for (const { file, location: place } of shipped) await out.line(`${file}  ${place}`);
    await out.line(`${plural(shipped.length, "segment")} shipped`);
  }
  const [first] = errors;
  if (first === undefined) return;
  const others = errors.length > 1 ? ` (and ${plural(errors.length - 1, "more failure")})` : "";
  throw new Failure(EXIT.io, first.message + others, "what arrived stays; run the command again for the rest", {
    cause: first,
  });
}
