// The openai SDK, as its clients are recorded.
import type { CallMemory, SdkHost } from "@ai-audit/core/sdk";
import { ToolTurns } from "@ai-audit/core/sdk";
import { McpApprovals } from "./mcp-approvals.ts";
import { checkOptions } from "./options.ts";
import { ReportedResponses } from "./same-response.ts";
import { noteOpened } from "./socket/opened.ts";
import { surfaceOf } from "./surface.ts";
import { toolIds } from "./tool-ids.ts";

export const openai: SdkHost = {
  name: "openai",
  versions: "openai 5, 6 or 7",
  supports: (version) => /^[567]\./.test(version),
  baseError: "OpenAIError",
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
    "InternalServerError",
    "APIError",
  ],
  vendor: "openai",
  requestIdHeaders: ["x-request-id"],
  // Reveals sockets: a request without a query has none there, a socket an empty one.
  methods: {
    buildURL: (base) =>
      function (...args) {
        const [path, query] = args;
        const isEmpty =
          typeof query === "object" && query !== null && Object.keys(query).length === 0;
        if (path === "/responses" && isEmpty) noteOpened(this);
        return base.apply(this, args);
      },
  },
  checkOptions,
  surfaceOf,
  /** Also behind a gateway of the caller's. */
  providerOf(client) {
    if ("deploymentName" in client && "apiVersion" in client) return "azure.ai.openai";
    return "bedrockTokenProvider" in client ? "aws.bedrock" : undefined;
  },
  newMemory,
};

function newMemory(): CallMemory {
  const reported = new ReportedResponses();
  const turns = new ToolTurns(toolIds);
  const approvals = new McpApprovals();
  return {
    askedBy: (body) => turns.askedBy(body),
    known: (operation, fields) => reported.known(operation, fields),
    decisionsIn: (body) => approvals.decisionsIn(body),
    forget: (decisions) => approvals.forget(decisions),
    note(operation, fields, written) {
      reported.note(operation, fields, written);
      turns.note(fields, written);
      approvals.note(fields);
    },
  };
}
