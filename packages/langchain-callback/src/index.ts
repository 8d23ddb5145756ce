// The public surface of @ai-audit/langchain-callback.
export { AuditCallbackHandler } from "./handler.ts";
export { type AuditCallbackOptions, type ChainCapture } from "./options.ts";
