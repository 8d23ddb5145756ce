// Placing, releasing and listing holds on a directory.
import { randomUUID } from "node:crypto";
import { AuditInputError } from "../errors.ts";
import { retentionHold, retentionRelease } from "../integrity/control-line.ts";
import type { Signer } from "../integrity/signer.ts";
import { requireAccount } from "../account.ts";
import { rangeOf } from "../query.ts";
import { Directory } from "./directory.ts";
import { FileStorage } from "./file.ts";
import { type Hold, readHolds } from "./holds.ts";

/** Who acts and why, for the log itself. */
export interface HoldOptions {
  readonly reason: string;
  readonly actor: string;
  /** Signs the record, as the log's other writers do theirs. */
  readonly signer?: Signer | undefined;
}

/**
 * Keeps every file that has an entry from `from` to `to` (both inclusive; absent ends are open) from removal by
 * retention. Resolves to the hold's id once it is durable: removals that begin later respect it.
 *
 * @throws `AUDIT_INPUT_INVALID` for an invalid `Date` and for a range that ends before it begins; `AUDIT_WRITE_FAILED`
 */
export async function placeHold(
  path: string,
  {
    from,
    to,
    reason,
    actor,
    signer,
  }: HoldOptions & { readonly from?: Date | undefined; readonly to?: Date | undefined },
): Promise<string> {
  rangeOf({ from, to });
  requireAccount("placeHold()", { actor, reason });
  const hold = randomUUID();
  const placed = new Date().toISOString();
  const range = { from: from?.toISOString() ?? null, to: to?.toISOString() ?? null };
  await record(path, retentionHold({ hold, ...range, reason, actor, placed }), signer);
  return hold;
}

/**
 * Ends a hold. Resolves once that is durable.
 *
 * @throws `AUDIT_INPUT_INVALID` when no such hold is in force, and without a `signer` where the hold was placed under one;
 * `AUDIT_WRITE_FAILED`
 */
export async function releaseHold(path: string, hold: string, { reason, actor, signer }: HoldOptions): Promise<void> {
  requireAccount("releaseHold()", { actor, reason });
  const known = (await readHolds(new Directory(path, signer?.vkey))).active.filter(({ id }) => id === hold);
  if (known.length === 0) throw new AuditInputError(`no hold ${hold} is in force`);
  if (!signer && known.some(({ vkey }) => vkey !== null)) {
    throw new AuditInputError(
      `hold ${hold} was placed under a signing key: a release that is not signed does not end it`,
    );
  }
  await record(path, retentionRelease({ hold, reason, actor, released: new Date().toISOString() }), signer);
}

/**
 * The holds in force, oldest first. A release counts when it is signed by the key under which the hold was placed, or by
 * `vkey`, that of the log's writers now.
 *
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when `vkey` is malformed
 */
export async function listHolds(path: string, { vkey }: { readonly vkey?: string } = {}): Promise<readonly Hold[]> {
  return (await readHolds(new Directory(path, vkey))).active;
}

/** A new storage's first line is its segment's second, where it is looked for. */
async function record(path: string, line: string, signer: Signer | undefined): Promise<void> {
  const storage = new FileStorage({ path, ...(signer && { signer }) });
  try {
    await storage.append(line);
  } finally {
    await storage.close();
  }
}
