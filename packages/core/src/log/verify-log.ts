// Verifies a log by where it lies.
import { readAnchorEvidence } from "../anchor/read-evidence.ts";
import { readAuthorities } from "../anchor/time-stamp.ts";
import { parseWitnessKey } from "../anchor/witness.ts";
import { AuditConfigError } from "../errors.ts";
import { fileOfOrigin } from "../format/origin.ts";
import { dayOfSegment } from "../format/segment-name.ts";
import { requireNode } from "../runtime.ts";
import { parseVkey } from "../seal/note.ts";
import type { AnchorEvidence, Pin, Verification } from "../verify/verification.ts";
import { type VerifySourceOptions, verifySources } from "../verify/verifier.ts";
import { anchorStoreAt } from "./anchor-store.ts";
import { logSourcesAt } from "./location.ts";
import type { S3Connection } from "../storage/s3/options.ts";

/** An anchor log to verify with, and the parties that vouch for it. */
export interface AnchorToVerify {
  /** A directory, or `s3://bucket/prefix`. */
  readonly location: string;
  /** The anchor log's `vkey`. */
  readonly vkey: string;
  /** Keys of C2SP witnesses. @default none */
  readonly witnesses?: readonly string[];
  /** Certificates, in PEM, that sign the tokens of time-stamping authorities. @default none */
  readonly tsa?: string;
  /** Number of these parties that must vouch for a checkpoint. @default 1 where any are given */
  readonly quorum?: number;
}

/** Keys, pins and rules to verify against, and the way to the log. */
export interface VerifyOptions extends Omit<VerifySourceOptions, "archive" | "anchors"> {
  /**
   * Anchor logs. What they hold counts as pinned. `pins` may hold pins of them.
   * @default none
   */
  readonly anchors?: readonly AnchorToVerify[];
  /**
   * The archive that files were moved to (`s3://bucket/prefix`): they are read there.
   * @default the archive is not read
   */
  readonly archive?: string;
  /**
   * Skip the versions of a bucket's objects; the verdict then says so.
   * @default false
   */
  readonly withoutVersions?: boolean;
  /** Settings for the bucket of an `s3://` location. @default the AWS SDK's own settings */
  readonly s3?: S3Connection;
}

/**
 * Verifies the log in a directory, or in a bucket (`s3://bucket/prefix`): integrity, completeness,
 * anchoring. Findings, and also that nothing could be read (exit code 3), are returned, not thrown.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` or `AUDIT_CONFIG_INVALID` when a trusted key, an
 * anchor's key or a pin is malformed, or a pin is of an anchor log that was not given.
 */
export async function verifyLog(
  location: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  requireNode();
  const { archive, s3, withoutVersions = false, anchors = [], pins = [], ...rest } = options;
  const access = { ...(s3 && { s3 }), withoutVersions };
  const [ofLog, ofAnchors] = splitPins(pins, anchors);
  // Before the log: what is anchored was in the log by then, also where it grows meanwhile.
  const evidence = await readAnchors(anchors, { pins: ofAnchors, ...(s3 && { s3 }) });
  return verifySources((now) => logSourcesAt(location, { ...access, now }), {
    ...rest,
    pins: ofLog,
    anchors: evidence,
    ...(archive !== undefined && { archive: () => logSourcesAt(archive, access) }),
  });
}

/** Pins of the log's segments, and pins of anchor logs. */
function splitPins(
  pins: readonly Pin[],
  anchors: readonly AnchorToVerify[],
): readonly [readonly Pin[], readonly Pin[]] {
  const names = new Set(anchors.map(({ vkey }) => parseVkey(vkey).name));
  const isOfAnchor = ({ origin }: Pin): boolean =>
    names.has(origin) ||
    (/\/anchor-[^/]+$/.test(origin) && dayOfSegment(fileOfOrigin(origin)) === undefined);
  const ofAnchors = pins.filter(isOfAnchor);
  const unknown = ofAnchors.find(({ origin }) => !names.has(origin));
  if (unknown !== undefined)
    throw new AuditConfigError(`a pin is of anchor log ${unknown.origin}, which was not given`);
  return [pins.filter((pin) => !isOfAnchor(pin)), ofAnchors];
}

/**
 * What anchor logs hold, for `verifySources`.
 * @param options `pins`: pins of them. `s3`: how to reach a bucket.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when a key or a certificate is malformed.
 */
export async function readAnchors(
  anchors: readonly AnchorToVerify[],
  { pins = [], s3 }: { readonly pins?: readonly Pin[]; readonly s3?: S3Connection } = {},
): Promise<AnchorEvidence[]> {
  return Promise.all(
    anchors.map(async ({ location, vkey, witnesses = [], tsa, quorum = 1 }) =>
      readAnchorEvidence(await anchorStoreAt(location, { ...(s3 && { s3 }) }), {
        vkey,
        witnesses: witnesses.map(parseWitnessKey),
        authorities: tsa === undefined ? [] : readAuthorities(tsa),
        quorum,
        pins,
      }),
    ),
  );
}
