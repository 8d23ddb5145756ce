// The one error model of all ai-audit packages. docs/errors.md lists every code with its remedy.

/**
 * Stable, machine-readable reasons. Match on these, never on messages.
 *
 * - `AUDIT_CONFIG_INVALID` an option is wrong or two options contradict each other.
 * - `AUDIT_INPUT_INVALID` a field of an interaction, a query or an id cannot be used.
 * - `AUDIT_METADATA_INVALID` metadata does not fit the logger's `metadataSchema`.
 * - `AUDIT_WRITE_FAILED` an entry could not be made durable; nothing was acknowledged.
 * - `AUDIT_WRITE_TIMEOUT` an entry was not durable within the time allowed; it may still become so.
 * - `AUDIT_BACKLOG` too many bytes already wait to be written.
 * - `AUDIT_CLOSED` the logger or storage was closed before the call, or `AuditSql` before or during
 *   it.
 * - `AUDIT_READ_FAILED` stored entries could not be read, or a file past retention does not match
 *   its seal and stays.
 * - `AUDIT_KEY_INVALID` key material is malformed.
 * - `AUDIT_KEY_MISSING` the key that a ciphertext or a keyed hash names is not known here.
 * - `AUDIT_DECRYPT_FAILED` content is not a ciphertext, was altered, or belongs to another entry or
 *   field.
 * - `AUDIT_SUBJECT_ERASED` the content belonged to a data subject whose key was destroyed.
 * - `AUDIT_SUBJECT_INVALID` a subject was named without a key store, or its key store does not
 *   answer.
 * - `AUDIT_CONTENT_BLOCKED` a detector stopped the call.
 * - `AUDIT_ANCHOR_REFUSED` an anchor log is older than, or other than, what was seen of it, or files
 *   of the log do not verify and were not anchored.
 */
export type AuditErrorCode =
  | "AUDIT_CONFIG_INVALID"
  | "AUDIT_INPUT_INVALID"
  | "AUDIT_METADATA_INVALID"
  | "AUDIT_WRITE_FAILED"
  | "AUDIT_WRITE_TIMEOUT"
  | "AUDIT_BACKLOG"
  | "AUDIT_CLOSED"
  | "AUDIT_READ_FAILED"
  | "AUDIT_KEY_INVALID"
  | "AUDIT_KEY_MISSING"
  | "AUDIT_DECRYPT_FAILED"
  | "AUDIT_SUBJECT_ERASED"
  | "AUDIT_SUBJECT_INVALID"
  | "AUDIT_CONTENT_BLOCKED"
  | "AUDIT_ANCHOR_REFUSED";

const MARK = Symbol.for("ai-audit.error");

/**
 * Every error that ai-audit raises. `code` names the reason, `cause` holds the underlying error.
 * Messages never contain prompt text, keys or plaintext.
 */
export class AuditError extends Error {
  override readonly name: string = "AuditError";
  readonly code: AuditErrorCode;

  constructor(code: AuditErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    Object.defineProperty(this, MARK, { value: true });
  }

  /**
   * True for an `AuditError` of any copy of this package, where `instanceof` knows one copy only.
   */
  static isInstance(error: unknown): error is AuditError {
    return typeof error === "object" && error !== null && MARK in error;
  }
}

/** Wrong or contradictory options. Code: `AUDIT_CONFIG_INVALID` or `AUDIT_KEY_INVALID`. */
export class AuditConfigError extends AuditError {
  override readonly name: string = "AuditConfigError";
  constructor(
    message: string,
    options?: ErrorOptions & {
      code?: Extract<AuditErrorCode, "AUDIT_CONFIG_INVALID" | "AUDIT_KEY_INVALID">;
    },
  ) {
    super(options?.code ?? "AUDIT_CONFIG_INVALID", message, options);
  }
}

/**
 * A value the caller passed cannot be used. Code: `AUDIT_INPUT_INVALID` or
 * `AUDIT_METADATA_INVALID`.
 */
export class AuditInputError extends AuditError {
  override readonly name: string = "AuditInputError";
  /**
   * With `AUDIT_METADATA_INVALID`: the schema's issues. Not enumerable, so that no logger prints
   * it: a schema's messages may quote the value.
   */
  declare readonly issues?: readonly { readonly message: string }[];
  constructor(
    message: string,
    options?: ErrorOptions & {
      code?: Extract<AuditErrorCode, "AUDIT_INPUT_INVALID" | "AUDIT_METADATA_INVALID">;
      issues?: readonly { readonly message: string }[];
    },
  ) {
    super(options?.code ?? "AUDIT_INPUT_INVALID", message, options);
    if (options?.issues) Object.defineProperty(this, "issues", { value: options.issues });
  }
}

/** The part of a call that an `AuditWriteError` keeps when its entry could not be written. */
export interface UnrecordedCall extends ErrorOptions {
  readonly response?: unknown;
  readonly callError?: unknown;
}

/**
 * An entry was not acknowledged. Code: `AUDIT_WRITE_FAILED`, `AUDIT_WRITE_TIMEOUT`, `AUDIT_BACKLOG`
 * or `AUDIT_CLOSED`; `cause` is the reason.
 */
export class AuditWriteError extends AuditError {
  override readonly name: string = "AuditWriteError";
  /**
   * The result that the call would have returned; undefined if there is none. Not enumerable: it
   * holds content.
   */
  declare readonly response: unknown;
  /** The error the call would have ended with; undefined when it succeeded. Not enumerable. */
  declare readonly callError: unknown;

  declare readonly code: Extract<
    AuditErrorCode,
    "AUDIT_WRITE_FAILED" | "AUDIT_WRITE_TIMEOUT" | "AUDIT_BACKLOG" | "AUDIT_CLOSED"
  >;

  constructor(code: AuditWriteError["code"], message: string, options?: UnrecordedCall) {
    super(code, message, options);
    Object.defineProperty(this, "response", { value: options?.response });
    Object.defineProperty(this, "callError", { value: options?.callError });
  }
}

/**
 * Stored content cannot be opened. Code: `AUDIT_KEY_MISSING`, `AUDIT_DECRYPT_FAILED` or
 * `AUDIT_SUBJECT_ERASED`.
 */
export class AuditDecryptError extends AuditError {
  override readonly name: string = "AuditDecryptError";
  constructor(
    code: Extract<
      AuditErrorCode,
      "AUDIT_KEY_MISSING" | "AUDIT_DECRYPT_FAILED" | "AUDIT_SUBJECT_ERASED"
    >,
    message: string,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/**
 * A detector stopped a call before it was sent, or withheld its answer. Code:
 * `AUDIT_CONTENT_BLOCKED`. Names the detector, the side and the reason; never the text that was
 * found.
 */
export class ContentBlockedError extends AuditError {
  override readonly name: string = "ContentBlockedError";
  /** Name of the detector. */
  readonly detector: string;
  /** The side of the call that the detector objected to. */
  readonly side: "input" | "output";
  /** The detector's reason. */
  readonly reason: string;

  constructor(detector: string, side: "input" | "output", reason: string, options?: ErrorOptions) {
    super(
      "AUDIT_CONTENT_BLOCKED",
      `the ${side} was blocked by detector ${JSON.stringify(detector)}`,
      options,
    );
    this.detector = detector;
    this.side = side;
    this.reason = reason;
  }
}

/**
 * A loaded peer. A bundler may put an empty module in the place of one that is not installed.
 * @throws {TypeError} when the module does not export a class of that name
 */
export function withClass<Module extends object>(module: Module, name: keyof Module): Module {
  if (typeof module[name] !== "function") throw new TypeError(`no ${String(name)} is exported`);
  return module;
}

/**
 * The error for an optional package that cannot be loaded. Write `import()` in a `try` block and
 * throw this in its `catch`: bundlers then leave out a package that is not installed instead of
 * failing.
 */
export function missingPeer(name: string, cause: unknown): AuditConfigError {
  const message = `The package ${name} is needed here and cannot be loaded: add it to your project`;
  return new AuditConfigError(message, { cause });
}
