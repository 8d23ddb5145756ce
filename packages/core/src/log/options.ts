// The options of AuditLogger, checked once.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { EncryptionManager } from "../keys/encryption.ts";
import { AuditConfigError, AuditError } from "../errors.ts";
import type { Metadata } from "../capture/interaction.ts";
import {
  anything,
  atLeast,
  callback,
  flag,
  oneOf,
  type OptionCheck,
  optionsOf,
} from "../options.ts";
import { compileRedaction, type Redaction } from "../capture/redact.ts";
import type { DraftSettings } from "../capture/draft.ts";
import type { LogAnchor } from "./log-anchor.ts";
import type { AuditStorage } from "../storage/storage.ts";

/** Options of a logger: its records, and their retention. */
export interface AuditLoggerOptions<M extends object = Metadata> {
  /** Encrypts stored content and keys the hashes. */
  readonly encryption?: EncryptionManager | undefined;
  /** Keep the text (encrypted when `encryption` is given) and not only its hash. @default false */
  readonly storeContent?: boolean | undefined;
  /** @default "hmac-sha256" with `encryption`, else "sha256" */
  readonly digest?: "sha256" | "hmac-sha256" | undefined;
  /** Days that `cleanupExpired()` keeps. @default 365 */
  readonly retentionDays?: number | undefined;
  /** Redaction, applied before content is hashed or kept. */
  readonly redact?: Redaction | undefined;
  /** A Standard Schema (zod, valibot, arktype …) that metadata must fit. */
  readonly metadataSchema?: StandardSchemaV1<M, unknown> | undefined;
  /**
   * The fate of an entry that cannot be written. `closed`: `log()` rejects. `open`: `log()`
   * resolves to the empty string, so that neither a caller nor a forgotten `await` harms the
   * application. The failure goes to `onError`, or else to a process warning, and the log records
   * the loss with its next entry. Wrappers inherit it. @default "closed"
   */
  readonly failureMode?: FailureMode | undefined;
  /**
   * Memory that unwritten entries may hold, in bytes: their lines and about 2 KiB each. At least
   * one entry is always taken. @default 268435456 (256 MiB)
   */
  readonly maxPendingBytes?: number | undefined;
  /**
   * The answer of `log()` beyond `maxPendingBytes`. `refuse`: it rejects with `AUDIT_BACKLOG`.
   * `wait`: it writes the entry once there is room, which slows down callers that await it.
   * @default "refuse"
   */
  readonly whenFull?: "refuse" | "wait" | undefined;
  /**
   * Close the logger at SIGTERM and SIGINT, and when the process has nothing left to do.
   * @default false
   */
  readonly closeOnExit?: boolean | undefined;
  /** Anchors the log while it is written. The logger closes it. @default none */
  readonly anchor?: LogAnchor | undefined;
  /**
   * Called for every entry that could not be written, besides the rejection, and for segments that
   * could not be shipped to an archive or anchored.
   */
  readonly onError?: ((error: AuditError) => void) | undefined;
}

/** Whether an entry that cannot be written fails its caller. */
export type FailureMode = "closed" | "open";

/** The options with their defaults. */
export interface LoggerSettings {
  readonly draft: DraftSettings;
  readonly retentionDays: number;
  readonly failureMode: FailureMode;
  readonly maxPendingBytes: number;
  readonly whenFull: "refuse" | "wait";
  readonly closeOnExit: boolean;
  readonly anchor: LogAnchor | undefined;
  readonly onError: ((error: AuditError) => void) | undefined;
}

const isManager: OptionCheck = (value) =>
  value instanceof Object && "kidFor" in value ? undefined : "must be an EncryptionManager";

const isAnchor: OptionCheck = (value) =>
  value instanceof Object && "status" in value ? undefined : "must be a LogAnchor";

const isSchema: OptionCheck = (value) =>
  value instanceof Object && "~standard" in value ? undefined : "must be a Standard Schema";

const checkOptions: (given: unknown) => void = optionsOf<AuditLoggerOptions>("AuditLogger", {
  encryption: isManager,
  storeContent: flag,
  digest: oneOf("sha256", "hmac-sha256"),
  retentionDays: atLeast(0),
  redact: anything,
  metadataSchema: isSchema,
  failureMode: oneOf("closed", "open"),
  maxPendingBytes: atLeast(0),
  whenFull: oneOf("refuse", "wait"),
  closeOnExit: flag,
  anchor: isAnchor,
  onError: callback,
});

/** Throws `AUDIT_CONFIG_INVALID`. */
export function resolveLoggerOptions<M extends object>(
  storage: AuditStorage,
  options: AuditLoggerOptions<M>,
): LoggerSettings {
  if (typeof storage?.append !== "function")
    fail("the first argument must be a storage or the path of a directory");
  checkOptions(options);
  const {
    encryption,
    storeContent = false,
    retentionDays = 365,
    failureMode = "closed",
    maxPendingBytes = 2 ** 28,
    whenFull = "refuse",
    closeOnExit = false,
    anchor,
    onError,
  } = options;
  const { redact, metadataSchema, digest = encryption ? "hmac-sha256" : "sha256" } = options;
  if (digest === "hmac-sha256" && !encryption)
    fail("digest 'hmac-sha256' needs a key: give encryption too");
  return {
    draft: {
      stream: storage.stream,
      encryption,
      digest,
      storeContent,
      redact: redact && compileRedaction(redact),
      metadataSchema,
    },
    retentionDays,
    failureMode,
    maxPendingBytes,
    whenFull,
    closeOnExit,
    anchor,
    onError,
  };
}

/**
 * Throws `AUDIT_SUBJECT_INVALID` without encryption: a subject's content is encrypted under a key
 * of its own.
 */
export function requireSubjectKeys(encryption: EncryptionManager | undefined): EncryptionManager {
  if (encryption) return encryption;
  throw new AuditError(
    "AUDIT_SUBJECT_INVALID",
    "a subject needs encryption with a key store (subjects)",
  );
}

function fail(message: string): never {
  throw new AuditConfigError(`AuditLogger: ${message}`);
}
