// The one interface of everything that confirms checkpoints of an anchor log.
import { AuditError } from "../errors.ts";
import type { ConfirmationKind, ConfirmationName } from "./store.ts";

/** A checkpoint to confirm. */
export interface CheckpointToConfirm {
  /** The signed note. */
  readonly note: string;
  /** Its leaves. */
  readonly size: number;
  /** Leaves of the last checkpoint that this sink confirmed; 0: none. */
  readonly lastSize: number;
  /** The consistency proof from a smaller size (RFC 6962, 2.1.2); empty from 0. */
  proofFrom(size: number): readonly Buffer[];
}

/** Evidence to keep beside the checkpoint. */
export interface Confirmation {
  readonly kind: ConfirmationKind;
  readonly extension: ConfirmationName["extension"];
  readonly bytes: Buffer;
}

/** A party beyond the operator's reach. */
export interface AnchorSink {
  /** For messages, and for the names of its files. */
  readonly name: string;
  /** Milliseconds between two confirmations; 0: every run. */
  readonly everyMs: number;
  /** Resolves to the evidence to keep. Rejects where the party does not confirm. */
  confirm(checkpoint: CheckpointToConfirm): Promise<readonly Confirmation[]>;
  /** The reason of a rejection in plain words. */
  reasonOf(error: unknown): string;
}

/** The anchor log is behind what someone else has seen of it, or is another history. */
export class RolledBack extends AuditError {
  constructor(reason: string) {
    super(
      "AUDIT_ANCHOR_REFUSED",
      `${reason}: an older copy was put back, or the anchor log was rewritten. Nothing was appended. Restore it, or begin a new one by hand that continues it (--init --continues).`,
    );
  }
}

/** A number of leaves in words. */
export function spellLeaves(count: number): string {
  return count === 1 ? "1 leaf" : `${count} leaves`;
}

/** The message of an error, with that of its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
