// The keys that a verifier trusts, and the source of the trust.
import { relative } from "node:path";
import { trustedKeys } from "../settings/keys.ts";
import type { Settings } from "../settings/settings.ts";

/** Keys to verify with. */
export interface Trust {
  readonly keys: readonly string[];
  /** For the verdict: `--trust`. Undefined if there are none. */
  readonly by: string | undefined;
  /** A settings file whose keys were not used; undefined if there is none. */
  readonly passedOver: string | undefined;
}

/**
 * A settings file that holds trusted keys which a verification does not use: it was found in the
 * working directory, and AUDIT_CONFIG does not name it. Undefined if there is none.
 */
export function passedOverFile(settings: Settings): string | undefined {
  const source = settings.get("AUDIT_TRUSTED_KEYS")?.source;
  return source === settings.file && !settings.isNamed ? source : undefined;
}

/**
 * The keys of --trust, or else of AUDIT_TRUSTED_KEYS: of the environment, or of the settings file
 * that AUDIT_CONFIG names. A settings file found in the working directory gives none: an attacker
 * who hands over a log can put one beside it.
 *
 * @throws {Failure} for a settings file that lies in the log
 */
export function findTrust(
  given: readonly string[],
  settings: Settings,
  location: string | undefined,
): Trust {
  if (given.length > 0) return { keys: given, by: "--trust", passedOver: undefined };
  const setting = settings.get("AUDIT_TRUSTED_KEYS");
  if (setting === undefined) return { keys: [], by: undefined, passedOver: undefined };
  const passedOver = passedOverFile(settings);
  if (passedOver !== undefined)
    return { keys: [], by: undefined, passedOver: relative(process.cwd(), passedOver) };
  const place = setting.source === settings.file ? ` of ${setting.source}` : "";
  return {
    keys: trustedKeys([], settings, location),
    by: `AUDIT_TRUSTED_KEYS${place}`,
    passedOver: undefined,
  };
}
