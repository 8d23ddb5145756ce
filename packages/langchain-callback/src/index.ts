// The public surface of @ai-audit/langchain-callback.
export { AuditCallbackHandler } from "./handler.ts";
export { type AuditCallbackOptions, type ChainCapture, LANGCHAIN_SAFETY_CODES } from "./options.ts";
