// The options of the audit, checked once and with their defaults.
import {
  CAPTURE_OPTIONS,
  CallRecorder,
  type CaptureOptions,
  type ContentBounds,
  ContentCheck,
  DETECTOR_OPTIONS,
  type DetectorOptions,
  anything,
  flag,
  moreThan,
  optionsOf,
  SAFETY_CODES,
  type SafetyCodes,
} from "@ai-audit/core/capture";

/** Options of `auditAiSdk`. */
export interface AiSdkAuditOptions extends CaptureOptions, DetectorOptions {
  /** false: of the input only digest and length reach the log. @default true */
  readonly captureInput?: boolean | undefined;
  /** false: of the output only digest and length reach the log. @default true */
  readonly captureOutput?: boolean | undefined;
  /** Larger content is kept as digest and length, in bytes of UTF-8. @default 1048576 (1 MiB) */
  readonly maxContentBytes?: number | undefined;
  /** Provider codes that mean "blocked". @default `SAFETY_CODES` of `@ai-audit/core/capture` */
  readonly safetyCodes?: SafetyCodes | undefined;
}

/** The options with their defaults. */
export interface Settings {
  readonly recorder: CallRecorder;
  readonly bounds: ContentBounds;
  readonly check: ContentCheck<ContentBounds>;
  readonly codes: SafetyCodes;
}

const checkOptions: (given: unknown) => void = optionsOf<AiSdkAuditOptions>("auditAiSdk()", {
  ...CAPTURE_OPTIONS,
  ...DETECTOR_OPTIONS,
  captureInput: flag,
  captureOutput: flag,
  maxContentBytes: moreThan(0),
  safetyCodes: anything,
});

/** @throws `AUDIT_CONFIG_INVALID` */
export function resolveOptions(options: AiSdkAuditOptions): Settings {
  checkOptions(options);
  const {
    captureInput = true,
    captureOutput = true,
    maxContentBytes = 1024 * 1024,
    safetyCodes = SAFETY_CODES,
  } = options;
  const bounds = { captureInput, captureOutput, maxContentBytes };
  return {
    recorder: new CallRecorder(options, "framework"),
    bounds,
    check: new ContentCheck(options, bounds),
    // The SDK's own word for all filters
    codes: { ...safetyCodes, blocking: [...safetyCodes.blocking, "content-filter"] },
  };
}
