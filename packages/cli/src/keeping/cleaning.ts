// What a clean-up works with: the key that signs its record, and the storage that believes the keys
// of the log.
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

/** A dry run needs no key, and says where the run itself would. */
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
 * The storage to clean. Files of the keys of AUDIT_TRUSTED_KEYS may go besides those of the signing
 * key. What a run would do that is refused for want of the right key is told as if there were it.
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
    return openStorage(location, settings, signer); // a file names what is no key
  }
}
