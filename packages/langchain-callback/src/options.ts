// The options of the handler, resolved once.
import { AuditConfigError, SAFETY_CODES } from "@ai-audit/core";
import {
  anything,
  atLeast,
  CAPTURE_OPTIONS,
  type CallLogger,
  type CaptureOptions,
  INLINE_BYTES,
  type SafetyCodes,
  callback,
  flag,
  oneOf,
  optionsOf,
} from "@ai-audit/core/capture";

/**
 * The chains (also graphs, their nodes and agents) that get entries, besides the model calls in
 * them.
 */
export type ChainCapture = "none" | "roots" | "all";

/** Options of `AuditCallbackHandler`. */
export interface AuditCallbackOptions extends Omit<CaptureOptions, "logger"> {
  /** An entry for every tool call (`execute_tool`). @default true */
  readonly captureTools?: boolean | undefined;
  /**
   * An entry for every retriever call (`retrieval`): ids, sources and scores of the documents, and
   * their texts as content. @default true
   */
  readonly captureRetrievers?: boolean | undefined;
  /**
   * An entry for every event that stops or steers a run (`event`): a limit, a middleware that ends
   * the run, a node that throws, custom events. @default true
   */
  readonly captureEvents?: boolean | undefined;
  /** @default "none" */
  readonly captureChains?: ChainCapture | undefined;
  /** Keys of LangChain's `metadata` that are copied into the entry's metadata. @default [] */
  readonly metadataKeys?: readonly string[] | undefined;
  /**
   * Keys of LangChain's `metadata` that name the conversation; the first that has a value counts.
   */
  readonly conversationKeys?: readonly string[] | undefined;
  /**
   * Keys of LangChain's `metadata` that name the person who acts (`actor`); the first that has a
   * value counts. An empty list: none. @default ["user_id", "userId"]
   */
  readonly actorKeys?: readonly string[] | undefined;
  /** Whether a tag is kept in `run.tags`. @default all tags but LangChain's own (`seq:step:1` …) */
  readonly keepTag?: ((tag: string) => boolean) | undefined;
  /** Base64 of more bytes becomes `{ mime, bytes, sha256 }`; `Infinity` keeps all. @default 2048 */
  readonly inlineBytes?: number | undefined;
  /**
   * More model and tool calls open at once end the oldest as `abandoned`. @default 10000
   */
  readonly maxOpenRuns?: number | undefined;
  /** Finish reasons, statuses and error codes of filters and policies. @default `SAFETY_CODES` */
  readonly safetyCodes?: SafetyCodes | undefined;
}

/** The options with their defaults. */
export interface Settings {
  readonly captureTools: boolean;
  readonly captureRetrievers: boolean;
  readonly captureEvents: boolean;
  readonly captureChains: ChainCapture;
  readonly metadataKeys: readonly string[];
  readonly actorKeys: readonly string[];
  readonly conversationKeys: readonly string[];
  readonly keepTag: (tag: string) => boolean;
  readonly inlineBytes: number;
  readonly maxOpenRuns: number;
  readonly safetyCodes: SafetyCodes;
}

const CONVERSATION_KEYS = [
  "conversation_id",
  "conversationId",
  "session_id",
  "sessionId",
  "thread_id",
  "threadId",
];

/** Tags that LangChain and LangGraph set. */
const OWN_TAGS =
  /^(?:seq:step:|map:key:|retry:attempt:|graph:step:|branch:|condition:|langsmith:|lc:|__)/;

const { logger: _, ...CAPTURE } = CAPTURE_OPTIONS;

const checkOptions: (given: unknown) => void = optionsOf<AuditCallbackOptions>(
  "AuditCallbackHandler",
  {
    ...CAPTURE,
    captureTools: flag,
    captureRetrievers: flag,
    captureEvents: flag,
    captureChains: oneOf("none", "roots", "all"),
    metadataKeys: anything,
    actorKeys: anything,
    conversationKeys: anything,
    keepTag: callback,
    inlineBytes: atLeast(0),
    maxOpenRuns: atLeast(1),
    safetyCodes: anything,
  },
);

/** Throws `AUDIT_CONFIG_INVALID`. */
export function resolveOptions(logger: CallLogger, options: AuditCallbackOptions): Settings {
  if (typeof logger?.callSink?.capture !== "function") {
    throw new AuditConfigError("AuditCallbackHandler: the first argument must be an AuditLogger");
  }
  checkOptions(options);
  const { captureChains = "none", inlineBytes = INLINE_BYTES, maxOpenRuns = 10_000 } = options;
  return {
    captureTools: options.captureTools ?? true,
    captureRetrievers: options.captureRetrievers ?? true,
    captureEvents: options.captureEvents ?? true,
    captureChains,
    metadataKeys: options.metadataKeys ?? [],
    actorKeys: options.actorKeys ?? ["user_id", "userId"],
    conversationKeys: options.conversationKeys ?? CONVERSATION_KEYS,
    keepTag: options.keepTag ?? ((tag) => !OWN_TAGS.test(tag)),
    inlineBytes,
    maxOpenRuns,
    safetyCodes: options.safetyCodes ?? SAFETY_CODES,
  };
}
