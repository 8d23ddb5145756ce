// The parts of a clean-up: the key that signs its record, and a storage that trusts the log's keys.
import { AuditError, type AuditStorage, type Signer } from "@ai-audit/core";
import { Failure } from "../failure.ts";
import { trustedKeys } from "../settings/keys.ts";
import { isBucket } from "../log/location.ts";
import { listLogFiles } from "../log/log-files.ts";
import type { Settings } from "../settings/settings.ts";
import { openStorage } from "../log/storage.ts";
import { needTrustedSigner } from "./writing.ts";

/** The key that signs, or why the run itself would not begin. */
export interface Signing {
  readonly signer?: Signer | undefined;
  readonly refusal?: Failure;
}

/** A dry run needs no key, and says if the run itself needs one. */
export async function signerFor(
  location: string,
  settings: Settings,
  dryRun: boolean,
): Promise<Signing> {
  try {
    return { signer: await needTrustedSigner(location, settings) };
  } catch (error) {
    if (!dryRun || !(error instanceof Failure)) throw error;
    return { refusal: error };
  }
}

/**
 * The storage to clean. It may remove files sealed by the keys of AUDIT_TRUSTED_KEYS, besides those
 * of the signing key. A dry run without the right key shows the same plan.
 */
export async function openForCleanup(
  location: string,
  settings: Settings,
  { signer, refusal }: Signing,
): Promise<AuditStorage> {
  const trusted = trustedKeys([], settings, location);
  const isPreview = refusal !== undefined && trusted.length === 0 && !isBucket(location);
  if (!isPreview) return openStorage(location, settings, signer, trusted);
  const named = (await listLogFiles(location)).flatMap(({ vkey }) => vkey ?? []);
  try {
    return await openStorage(location, settings, signer, named);
  } catch (error) {
    if (!AuditError.isInstance(error) || error.code !== "AUDIT_KEY_INVALID") throw error;
    return openStorage(location, settings, signer); // a file names an invalid key
  }
}
