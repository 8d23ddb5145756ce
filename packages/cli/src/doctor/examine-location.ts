// Every examination, in the order in which one depends on the other.
import { EXIT, Failure } from "../failure.ts";
import { isBucket, resolveLocation } from "../log/location.ts";
import { serviceFailure } from "../service-failure.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { findSigner } from "../keeping/writing.ts";
import { examineBucket } from "./bucket.ts";
import { examineClock, examineDisk } from "./machine.ts";
import { type Finding, good, look, wrong } from "./finding.ts";
import { examineEncryption, examineSigning, examineSubjects } from "./keys.ts";
import { examineContents, examineFacts, examinePermissions, examineRetention } from "./log.ts";

export type { Finding } from "./finding.ts";

/** Runs every examination. One that fails becomes a finding; the others still run. */
export async function examineLocation(
  given: string | undefined,
  session: Session,
): Promise<Finding[]> {
  const settings = Settings.load(session.env);
  const findings: Finding[] = [
    good(
      "settings",
      settings.file === undefined ? "from the environment only" : `from ${settings.file}`,
    ),
  ];
  const run = async (
    about: string,
    examination: () => Promise<readonly Finding[]>,
  ): Promise<void> => {
    try {
      findings.push(...(await examination()));
    } catch (error) {
      const known =
        error instanceof Failure || !(error instanceof Error) ? error : serviceFailure(error);
      const remedy = known instanceof Failure ? known.hint : undefined;
      findings.push(
        wrong(
          about,
          error instanceof Error ? error.message : String(error),
          remedy ?? "see docs/errors.md",
        ),
      );
    }
  };
  const bucketIsThere = async (place: string): Promise<boolean> => {
    let isThere = false;
    await run("bucket", async () => {
      const examined = await examineBucket(place, settings);
      isThere = examined.isThere;
      return examined.findings;
    });
    return isThere;
  };
  let vkey: string | undefined;
  await run("signing", async () => {
    vkey = findSigner(settings)?.vkey;
    return examineSigning(settings);
  });
  let location: string | undefined;
  await run("log", async () => {
    try {
      location = resolveLocation(given, settings);
      return [good("log", location)];
    } catch (error) {
      if (given !== undefined || !(error instanceof Failure) || error.exitCode !== EXIT.missing)
        throw error;
      return [
        look(
          "log",
          error.message,
          "right before the first entry; else give the log's directory, or set AUDIT_LOG",
        ),
      ];
    }
  });
  const log =
    location !== undefined && isBucket(location) && !(await bucketIsThere(location))
      ? undefined
      : location;
  await run("encryption", () => examineEncryption(settings, log));
  await run("subjects", () => examineSubjects(settings, log));
  await run("retention", () => examineRetention(settings, log, vkey));
  const archive = settings.get("AUDIT_ARCHIVE")?.value;
  if (archive !== undefined && archive !== location) {
    await run("archive", async () => [good("archive", archive)]);
    await bucketIsThere(archive);
  }
  if (log === undefined) return findings;
  if (!isBucket(log)) {
    await run("files", () => examineContents(log, settings));
    await run("permissions", () => examinePermissions(log));
    await run("disk", () => examineDisk(log));
  }
  await run("record", () => examineFacts(log, settings));
  await run("clock", () => examineClock(log, settings, session.now()));
  return findings;
}
