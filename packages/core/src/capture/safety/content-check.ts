// The caller's own detectors, over the content that goes to the model and comes from it.
import type { ContentBlockedError } from "../../errors.ts";
import { type JsonValue, toJson } from "../../format/canonical.ts";
import {
  checkValues,
  moreThan,
  oneOf,
  type OptionCheck,
  type OptionChecks,
} from "../../options.ts";
import { type CapturedFields, mergeFields } from "../fields.ts";
import { boundInput, boundOutput, type ContentBounds } from "../payload/bounds.ts";
import { isFields } from "../payload/read.ts";
import type { ContentSide, Detector } from "./detector.ts";
import { type Detection, runDetectors } from "./run-detectors.ts";

/** The detectors that run, and the effect of their objections. */
export interface DetectorOptions {
  /**
   * The application's own checks. An input that one of them blocks is not sent: the call fails with
   * a `ContentBlockedError`.
   */
  readonly detectors?: readonly Detector[] | undefined;
  /**
   * The effect of an objection to an output: `mark` the entry, or also `withhold` the answer, so
   * that the call fails with a `ContentBlockedError`. The events of a stream have been handed out
   * by then: its iteration fails at the end.
   * @default "mark"
   */
  readonly blockedOutput?: "mark" | "withhold" | undefined;
  /**
   * The effect of a failed detector: the content passes, or counts as blocked. The entry names it.
   * @default "pass"
   */
  readonly onDetectorFailure?: "pass" | "block" | undefined;
  /** A detector that takes longer has failed, in milliseconds. @default 10000 */
  readonly detectorTimeoutMs?: number | undefined;
}

const areDetectors: OptionCheck = (value) =>
  Array.isArray(value) && value.every((detector) => typeof detector?.name === "string")
    ? undefined
    : "must be an array of { name, checkInput?, checkOutput? }";

/** The checks of these options, for the tables of wrappers. */
export const DETECTOR_OPTIONS: OptionChecks<DetectorOptions> = {
  detectors: areDetectors,
  blockedOutput: oneOf("mark", "withhold"),
  onDetectorFailure: oneOf("pass", "block"),
  detectorTimeoutMs: moreThan(0),
};

/** Fields with the detectors' findings, and the error when they stop the call. */
export interface Checked {
  readonly fields: CapturedFields;
  /** The findings alone. */
  readonly found: CapturedFields;
  readonly blocked: ContentBlockedError | undefined;
}

/** The detectors of one client. */
export class ContentCheck<Extract extends ContentBounds> {
  readonly #options: DetectorOptions;
  readonly #extract: Extract;

  /** Throws `AUDIT_CONFIG_INVALID`. */
  constructor(options: DetectorOptions, extract: Extract) {
    checkValues("audit", options, DETECTOR_OPTIONS);
    this.#options = options;
    this.#extract = extract;
  }

  get active(): boolean {
    return this.#options.detectors !== undefined && this.#options.detectors.length > 0;
  }

  /** The size to extract: detectors see the whole content, the entry gets the bounded one. */
  get extract(): Extract {
    return this.active
      ? {
          ...this.#extract,
          captureInput: true,
          captureOutput: true,
          maxContentBytes: Number.POSITIVE_INFINITY,
        }
      : this.#extract;
  }

  /** The size to extract from a stream. Memory holds no more than the limit. */
  get streamExtract(): Extract {
    return this.active ? { ...this.#extract, captureOutput: true } : this.#extract;
  }

  /** The fields with their content bounded, for calls that end unchecked. */
  bounded(fields: CapturedFields): CapturedFields {
    if (!this.active) return fields;
    const input = "input" in fields ? boundInput(toJson(fields.input), this.#extract) : undefined;
    const output =
      "output" in fields ? boundOutput(toJson(fields.output), this.#extract) : undefined;
    const alerts = [...(fields.alerts ?? []), ...(input?.alerts ?? []), ...(output?.alerts ?? [])];
    return {
      ...fields,
      ...(input && { input: input.value }),
      ...(output && { output: output.value }),
      ...(alerts.length > 0 && { alerts: [...new Set(alerts)] }),
    };
  }

  /** Shows one side's content to the detectors. Synchronous when they all are. */
  run(
    side: ContentSide,
    fields: CapturedFields,
    about: CapturedFields,
  ): Checked | Promise<Checked> {
    const content = toJson(fields[side] ?? "");
    const { provider, model, operation, conversationId } = about;
    const context = {
      provider: provider ?? undefined,
      model: model ?? undefined,
      operation,
      conversationId: conversationId ?? undefined,
    };
    if (isOmitted(content)) return this.#unseen(side, fields);
    const {
      detectors = [],
      onDetectorFailure: onFailure,
      detectorTimeoutMs: timeoutMs,
      blockedOutput,
    } = this.#options;
    const enforcement = side === "output" && blockedOutput !== "withhold" ? "mark" : "stop";
    const conclude = ({ fields: found, blocked }: Detection): Checked => ({
      fields: mergeFields(this.bounded(fields), found),
      found,
      blocked,
    });
    const detection = runDetectors(detectors, side, content, context, {
      onFailure,
      enforcement,
      timeoutMs,
    });
    return "then" in detection ? detection.then(conclude) : conclude(detection);
  }

  #unseen(side: ContentSide, fields: CapturedFields): Checked {
    const found = { alerts: [unseenAlert(side)] };
    return { fields: mergeFields(this.bounded(fields), found), found, blocked: undefined };
  }
}

/** The alert about content that was too large for the detectors. */
export function unseenAlert(side: ContentSide): string {
  return `ai-audit: the detectors did not see the ${side}: it is larger than maxContentBytes`;
}

/** A stream's output of which only the digest was kept. */
function isOmitted(content: JsonValue): boolean {
  return (
    isFields(content) &&
    content["omitted"] === "maxContentBytes" &&
    typeof content["sha256"] === "string"
  );
}
