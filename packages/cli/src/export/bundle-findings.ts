// Findings about the whole files of a bundle, so that a file that fails its check is not passed on
// as evidence.
import { join } from "node:path";
import { AuditError, verifyLog } from "@ai-audit/core";
import type { FileState, FileVerification } from "@ai-audit/core/verify";
import { configuredTrust, trustedKeys } from "../settings/keys.ts";
import { isBucket } from "../log/location.ts";
import { problemText } from "../verifying/problem-text.ts";
import { s3Connection } from "../log/storage.ts";
import { writeNewFile } from "../output/new-files.ts";
import type { BundleOptions } from "./bundle-proofs.ts";

/** The result of verifying a bundle's files. */
export interface BundleFindings {
  /** Entries that are proven. */
  readonly proven: number;
  /** `STATE FILE, line 7: problem` for each file that was altered or is not sealed. */
  readonly findings: readonly string[];
}

/** Whole files that were put into a bundle. */
export interface BundledFiles {
  /** Directory that holds them. */
  readonly segments: string;
  /** Keys that they name. */
  readonly vkeys: readonly string[];
}

interface FindOptions extends Pick<BundleOptions, "log"> {
  /** Called with the share that is verified, from 0 to 1. */
  readonly onProgress: (share: number) => void;
}

/**
 * Verifies the files of a bundle as they are in it. Files of a bucket are verified in the bucket,
 * which has its own rules for removals. Uses AUDIT_TRUSTED_KEYS where it is set. Otherwise it uses
 * the keys that the files name, which shows only that the files are consistent: the receiver of the
 * bundle decides which key to trust.
 */
export async function findUnproven(
  { segments, vkeys }: BundledFiles,
  { log: { location, settings }, onProgress }: FindOptions,
): Promise<BundleFindings> {
  const place = isBucket(location) ? location : segments;
  const verify = async (keys: readonly string[]): Promise<readonly FileVerification[]> => {
    const { files, exitCode, verdict } = await verifyLog(place, {
      trustedKeys: keys,
      s3: s3Connection(settings),
      onProgress: ({ bytesRead, totalBytes }) =>
        onProgress(totalBytes === 0 ? 1 : bytesRead / totalBytes),
    });
    if (exitCode === 3) throw new AuditError("AUDIT_READ_FAILED", verdict);
    return files;
  };
  const files =
    configuredTrust(settings).length > 0
      ? await verify(trustedKeys([], settings, location))
      : await verify(vkeys).catch((error: unknown) => {
          // An attacker can write a key into a file. With an invalid one, no key is trusted.
          if (AuditError.isInstance(error) && error.code === "AUDIT_KEY_INVALID") return verify([]);
          throw error;
        });
  return {
    proven: files
      .filter(({ state }) => !ABSENT.has(state))
      .reduce((sum, file) => sum + file.entries, 0),
    findings: files.flatMap(({ file, problems }) =>
      problems
        .filter(({ state }) => !ACCEPTED.has(state))
        .map((problem) => `${problem.state} ${problemText(file, problem)}`),
    ),
  };
}

/** Writes the findings into the bundle, if there are any. */
export async function writeFindings(directory: string, findings: readonly string[]): Promise<void> {
  if (findings.length === 0) return;
  const text = findings.map((finding) => `${finding}\n`).join("");
  await writeNewFile(join(directory, "findings.txt"), text);
}

/** States of files whose entries are not in the bundle, or are there and not proven. */
const ABSENT: ReadonlySet<FileState> = new Set([
  "PRUNED",
  "ARCHIVED",
  "MISSING",
  "FOREIGN",
  "UNKNOWN_KEY",
]);

/**
 * States that are not a finding: the bundle says so itself (unsigned), or no line is lost (a crash
 * after the last seal).
 */
const ACCEPTED: ReadonlySet<FileState> = new Set([
  "UNSIGNED",
  "UNCLOSED",
  "PRUNED",
  "ARCHIVED",
  "OPEN",
  "OK",
]);
