// Anthropic's SDK, as its clients are recorded.
import { fieldsOf, listOf, textOf } from "@ai-audit/core/capture";
import { type CallMemory, type SdkHost, type ToolReaders, ToolTurns } from "@ai-audit/core/sdk";
import { checkOptions } from "./options.ts";
import { surfaceOf } from "./surface.ts";
import { ToolConfirmations } from "./tool-confirmations.ts";

export const anthropic: SdkHost = {
  name: "@anthropic-ai/sdk",
  versions: "@anthropic-ai/sdk 0.50 to 1",
  supports: (version) => /^(?:0\.(?:[5-9]\d|\d{3})|1)\./.test(version),
  baseError: "AnthropicError",
  // Statics that a version lacks are passed over.
  errorTypes: [
    "APIUserAbortError",
    "APIConnectionTimeoutError",
    "APIConnectionError",
    "BadRequestError",
    "AuthenticationError",
    "PermissionDeniedError",
    "NotFoundError",
    "ConflictError",
    "UnprocessableEntityError",
    "RateLimitError",
    "OverloadedError",
    "InternalServerError",
    "APIError",
  ],
  vendor: "anthropic",
  requestIdHeaders: ["request-id", "x-amzn-requestid"],
  beginsWhenBuilt: true,
  checkOptions,
  surfaceOf,
  providerOf,
  newMemory,
};

/** The platform of a client, also behind a gateway of the caller's. */
function providerOf(client: object): string | undefined {
  // The clients of Bedrock and Vertex name their platform; those before 1.0 only have its options.
  const named = textOf(Reflect.get(client, "_genAIProviderName"));
  if (named !== undefined && named !== "anthropic") return named;
  if ("awsRegion" in client) return "aws.bedrock";
  if ("region" in client && "projectId" in client) return "gcp.vertex_ai";
  return "resource" in client ? "azure.ai.inference" : undefined; // Foundry
}

const toolIds: ToolReaders = {
  resultsIn: ({ messages }) =>
    listOf(messages)
      .flatMap((message) => listOf(fieldsOf(message)["content"]))
      .flatMap((block) => {
        const { type, tool_use_id: id } = fieldsOf(block);
        return type === "tool_result" ? (textOf(id) ?? []) : [];
      }),
  // The provider's own tools bring their results in the same answer.
  callsIn: (item) =>
    [item, ...listOf(item["content"])].flatMap((block) => {
      const { type, id } = fieldsOf(block);
      return type === "tool_use" ? (textOf(id) ?? []) : [];
    }),
};

function newMemory(): CallMemory {
  const turns = new ToolTurns(toolIds);
  const confirmations = new ToolConfirmations();
  return {
    askedBy: (body) => turns.askedBy(body),
    known: () => undefined, // no answer is fetched a second time
    decisionsIn: (body) => confirmations.decisionsIn(body),
    forget: (decisions) => confirmations.forget(decisions),
    note: (_operation, fields, written) => turns.note(fields, written),
  };
}
