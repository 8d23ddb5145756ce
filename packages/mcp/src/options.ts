// The options of an audited transport, checked once.
import {
  anything,
  CAPTURE_OPTIONS,
  CallRecorder,
  type CaptureOptions,
  type ContentBounds,
  flag,
  moreThan,
  optionsOf,
} from "@ai-audit/core/capture";
import { AuditConfigError } from "@ai-audit/core";

/** Options of `auditTransport`. */
export interface McpAuditOptions extends CaptureOptions {
  /**
   * Durably record that a call begins before it is sent, or before the handler of a served one
   * runs. @default true for served calls in fail-closed mode, false otherwise
   */
  readonly intent?: boolean | undefined;
  /** false: of the input only digest and length reach the log. @default true */
  readonly captureInput?: boolean | undefined;
  /** false: of the output only digest and length reach the log. @default true */
  readonly captureOutput?: boolean | undefined;
  /** Larger content is kept as digest and length, in bytes of UTF-8. @default 1048576 (1 MiB) */
  readonly maxContentBytes?: number | undefined;
  /**
   * Approved tools: `definitionHash()` of the definition by the tool's name. A listed tool with
   * another definition, or without a hash here, gets a finding. @default no check against approvals
   */
  readonly approvedTools?: Readonly<Record<string, string>> | undefined;
}

/** The options with their defaults. */
export interface Settings {
  /** For requests that this side makes. */
  readonly sent: CallRecorder;
  /** For requests that this side answers. */
  readonly served: CallRecorder;
  readonly bounds: ContentBounds;
  readonly approvedTools: ReadonlyMap<string, string> | undefined;
  readonly namesActor: boolean;
}

const checkOptions: (given: unknown) => void = optionsOf<McpAuditOptions>("auditTransport()", {
  ...CAPTURE_OPTIONS,
  captureInput: flag,
  captureOutput: flag,
  maxContentBytes: moreThan(0),
  approvedTools: anything,
});

/** @throws `AUDIT_CONFIG_INVALID` */
export function resolveOptions(options: McpAuditOptions): Settings {
  checkOptions(options);
  const {
    captureInput = true,
    captureOutput = true,
    maxContentBytes = 1024 * 1024,
    approvedTools,
    ...capture
  } = options;
  if (approvedTools !== undefined && !isHashes(approvedTools))
    throw new AuditConfigError(
      "auditTransport(): approvedTools must hold a definitionHash() by the name of each tool",
    );
  const sent = new CallRecorder(capture);
  const { intent = sent.failsClosed } = capture;
  return {
    sent,
    served: new CallRecorder({ ...capture, intent }),
    bounds: { captureInput, captureOutput, maxContentBytes },
    namesActor: capture.actor !== undefined,
    approvedTools: approvedTools && new Map(Object.entries(approvedTools)),
  };
}

function isHashes(given: unknown): boolean {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  return Object.values(given).every(
    (value) => typeof value === "string" && /^[0-9a-f]{64}$/.test(value),
  );
}
