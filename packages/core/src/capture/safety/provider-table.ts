// The table of one provider: its codes, and the other safety members of its payloads.
import type { Fields } from "../payload/read.ts";
import type { SafetyReport, Side } from "./report.ts";

/**
 * One provider's signals. All tables read every payload: gateways pass on the words of the model
 * behind them, and the names of members tell the providers apart.
 */
export interface ProviderTable {
  /** Prefix of its detectors. */
  readonly vendor: string;
  /**
   * Finish reasons, error codes and error types that mean a block. `"input"` or `"output"` where
   * the code itself names the side, undefined where the code's place in the payload decides, null
   * where the side is unknown.
   */
  readonly blocking: Readonly<Record<string, Side | null>>;
  /**
   * Whether the finish reason of this answer, though among the blocking ones, only says that
   * content was changed.
   */
  readonly changesOnly?: (answer: Fields) => boolean;
  /** Members around the answers: verdicts about the prompt, moderation, assessments. */
  readonly body?: (report: SafetyReport, body: Fields) => void;
  /** One answer: a choice, a candidate, a message. Its finish reason is read by the classifier. */
  readonly answer?: (report: SafetyReport, answer: Fields) => void;
  /** The error object of a failed call. Its code and type are read by the classifier. */
  readonly error?: (report: SafetyReport, error: Fields, at: Side) => void;
}
