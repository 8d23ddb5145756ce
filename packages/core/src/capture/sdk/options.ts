// The `audit` option of an SDK's client, and the audit values of a single call.
import { AuditConfigError } from "../../errors.ts";
import type { Actor, Run } from "../../format/entry.ts";
import { anything, atLeast, flag, type OptionChecks } from "../../options.ts";
import { CAPTURE_OPTIONS, CallRecorder, type CaptureOptions, type CaptureStats } from "../call.ts";
import type { CallLogger } from "../call-sink.ts";
import { type CapturedFields, membersOf } from "../fields.ts";
import type { Metadata } from "../interaction.ts";
import type { SafetyCodes } from "../safety/codes.ts";
import { ContentCheck, DETECTOR_OPTIONS, type DetectorOptions } from "../safety/content-check.ts";
import type { CallMemory, SdkHost } from "./host.ts";
import type { ExtractOptions } from "./surface.ts";

/** Options for recording the calls of an SDK's client. */
export interface ClientAuditOptions extends CaptureOptions, DetectorOptions {
  /** false: of the input only digest and length reach the log. @default true */
  readonly captureInput?: boolean | undefined;
  /** false: of the output only digest and length reach the log. @default true */
  readonly captureOutput?: boolean | undefined;
  /** Larger content is kept as digest and length, in bytes of UTF-8. @default 1048576 (1 MiB) */
  readonly maxContentBytes?: number | undefined;
  /** Provider codes that mean "blocked". */
  readonly safetyCodes?: SafetyCodes | undefined;
}

/** The checks of these options, for the tables of wrappers. */
export const CLIENT_AUDIT_OPTIONS: OptionChecks<ClientAuditOptions> = {
  ...CAPTURE_OPTIONS,
  ...DETECTOR_OPTIONS,
  captureInput: flag,
  captureOutput: flag,
  maxContentBytes: atLeast(0),
  safetyCodes: anything,
};

/** Options of one SDK's wrapper: further ones say what an extract holds. */
type HostOptions = ClientAuditOptions & Partial<ExtractOptions>;

/** Values of one call. They win over the client's options and over `withAuditContext`. */
export interface CallAudit {
  readonly conversationId?: string | undefined;
  /** Added to the client's and the context's, key by key. */
  readonly metadata?: Metadata | undefined;
  /**
   * Name of the person whose data this is. The logger's `EncryptionManager` needs a key store for
   * it (`subjects`).
   */
  readonly subject?: string | undefined;
  /** The person or program that acts. */
  readonly actor?: Actor | undefined;
  readonly run?: Run | undefined;
  /** A person should review the call. */
  readonly reviewRequired?: boolean | undefined;
}

/** An `audit` option, checked and with its defaults. */
export interface AuditSettings {
  readonly host: SdkHost;
  readonly recorder: CallRecorder;
  readonly extract: ExtractOptions;
  readonly check: ContentCheck<ExtractOptions>;
  readonly memory: CallMemory;
  /** Calls may wait: for a start that becomes durable, or for a detector. */
  readonly holdsBack: boolean;
}

/** Clones of a client share the recorder, and with it the counts. */
const resolved = new WeakMap<SdkHost, WeakMap<object, AuditSettings>>();

/** Throws `AUDIT_CONFIG_INVALID`. */
export function resolveAudit(audit: unknown, host: SdkHost): AuditSettings {
  if (typeof audit !== "object" || audit === null) {
    throw new AuditConfigError("the client needs an audit option: a logger, or { logger, … }");
  }
  const ofHost = resolved.get(host) ?? new WeakMap<object, AuditSettings>();
  resolved.set(host, ofHost);
  const known = ofHost.get(audit);
  if (known) return known;
  const settings = settingsOf(isLogger(audit) ? { logger: audit } : checkShape(audit, host), host);
  ofHost.set(audit, settings);
  return settings;
}

function settingsOf(options: HostOptions, host: SdkHost): AuditSettings {
  const {
    captureInput = true,
    captureOutput = true,
    captureLogprobs,
    captureEmbeddings,
    safetyCodes,
  } = options;
  const { maxContentBytes = 1_048_576, intent = false, detectors = [] } = options;
  const extract = {
    maxContentBytes,
    captureInput,
    captureOutput,
    captureLogprobs,
    captureEmbeddings,
    safetyCodes,
  };
  return {
    host,
    recorder: new CallRecorder(options),
    extract,
    check: new ContentCheck(options, extract),
    memory: host.newMemory(),
    holdsBack: intent || detectors.length > 0,
  };
}

function isLogger(audit: object): audit is CallLogger {
  return "callSink" in audit;
}

function checkShape(audit: object, host: SdkHost): HostOptions {
  if (!hasLogger(audit)) throw new AuditConfigError("audit: logger must be an AuditLogger");
  host.checkOptions(audit);
  return audit;
}

function hasLogger(audit: object): audit is HostOptions {
  return (
    "logger" in audit &&
    typeof audit.logger === "object" &&
    audit.logger !== null &&
    isLogger(audit.logger)
  );
}

const CALL_AUDIT: unique symbol = Symbol("ai-audit.sdk.call-audit");

/** Fits the request options of each version of the SDK, as ES module and as CommonJS. */
export interface CallAuditOptions {
  readonly [CALL_AUDIT]: CallAudit;
  /** The SDK's own; not set here. */
  readonly timeout?: number;
}

/**
 * Audit values of one call, to spread into the SDK's request options (the second argument of its
 * methods). They travel under a symbol, so they never reach the wire.
 *
 * @example
 * await client.responses.create({ model, input }, auditOptions({ conversationId: "c-17" }));
 * await client.responses.create({ model, input }, { timeout: 5000, ...auditOptions({ subject: "user-4" }) });
 */
export function auditOptions(values: CallAudit): CallAuditOptions {
  return { [CALL_AUDIT]: values };
}

/** The audit values among a call's request options, if there are any. */
export function callAuditOf(options: object): CapturedFields | undefined {
  if (!(CALL_AUDIT in options)) return undefined;
  const values = options[CALL_AUDIT];
  return typeof values === "object" && values !== null ? pickCallAudit(values) : undefined;
}

function pickCallAudit(values: CallAudit): CapturedFields {
  const { conversationId, metadata, subject, actor, run, reviewRequired } = values;
  return {
    conversationId,
    subject,
    actor,
    reviewRequired,
    metadata: membersOf("metadata", metadata),
    run: membersOf("run", run),
  };
}

/** Counts of a client: calls in flight, entries written and lost. Clones count together. */
export function auditStats(client: object): CaptureStats {
  const settings = auditSettingsOf(client);
  if (!settings) throw new AuditConfigError("auditStats() takes an audited client");
  return settings.recorder.stats;
}

const SETTINGS = Symbol("ai-audit.sdk.settings");

/**
 * Under a symbol and not `#private`: private fields cannot be read through a Proxy of the caller's.
 */
export function attachAudit(client: object, settings: AuditSettings): void {
  Object.defineProperty(client, SETTINGS, { value: settings, configurable: true });
}

/** The settings of an audited client. */
export function auditSettingsOf(client: object): AuditSettings | undefined {
  const settings: unknown = Reflect.get(client, SETTINGS);
  return isSettings(settings) ? settings : undefined;
}

function isSettings(value: unknown): value is AuditSettings {
  return (
    typeof value === "object" &&
    value !== null &&
    "recorder" in value &&
    value.recorder instanceof CallRecorder
  );
}
