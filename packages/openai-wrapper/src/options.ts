// The `audit` option of a client.
import { flag, optionsOf, type CallLogger } from "@ai-audit/core/capture";
import { CLIENT_AUDIT_OPTIONS, type ClientAuditOptions } from "@ai-audit/core/sdk";

/** Options for recording a client's calls. */
export interface AuditOptions extends ClientAuditOptions {
  /** Token log probabilities in the output, instead of their count and digest. @default false */
  readonly captureLogprobs?: boolean | undefined;
  /**
   * Whole embedding vectors in the output, instead of count, dimensions and digest.
   * @default false
   */
  readonly captureEmbeddings?: boolean | undefined;
}

/** A logger, or a logger with options. */
export type Audit = CallLogger | AuditOptions;

/** Throws `AUDIT_CONFIG_INVALID` for an option that is unknown or does not fit. */
export const checkOptions: (given: unknown) => void = optionsOf<AuditOptions>("audit", {
  ...CLIENT_AUDIT_OPTIONS,
  captureLogprobs: flag,
  captureEmbeddings: flag,
});
