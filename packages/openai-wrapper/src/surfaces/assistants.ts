// beta assistants: threads and runs (POST …/runs, POST /threads/runs, submit_tool_outputs, cancel,
// GET of a run)
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  defined,
  fieldsOf,
  isFields,
  listOf,
  mergeFields,
  parametersOf,
  pickStated,
  snapshot,
  textOf,
  withoutToolSecrets,
} from "@ai-audit/core/capture";
import { requestFields, type SurfaceDefinition, type WireRequest } from "@ai-audit/core/sdk";
import { AssistantCollector } from "./assistants-stream.ts";
import { runFields } from "./run-object.ts";

/** Members of a request that the model sees. */
const SEEN = [
  "instructions",
  "additional_instructions",
  "additional_messages",
  "thread",
  "tool_outputs",
  "tools",
  "response_format",
];

/** Runs and what belongs to them, one definition for each operation. */
export function runSurface(operation: string): SurfaceDefinition {
  return {
    operation,
    request(body, options, request) {
      const input = withoutToolSecrets(snapshot(pickStated(body, SEEN)));
      const { model } = body;
      return mergeFields(
        requestFields(input, { model, parameters: parametersOf(body) }, options),
        idsOf(request),
      );
    },
    response: (body, options) => runFields(fieldsOf(body), outputOfRun(fieldsOf(body)), options),
    stream: (options) => new AssistantCollector(options),
  };
}

function idsOf({ path }: WireRequest): CapturedFields {
  const [, threadId, runId] = /\/threads\/([^/]+)(?:\/runs\/([^/]+))?/.exec(path) ?? [];
  return defined({
    responseId: runId,
    run: threadId === undefined || threadId === "runs" ? undefined : { threadId },
  });
}

/** A run without a stream has no messages in it; what it may have is calls of tools. */
function outputOfRun(run: Fields): JsonValue {
  const action = fieldsOf(run["required_action"]);
  return isFields(run["required_action"]) ? snapshot(action) : "";
}

/** Messages are a thread's content, not an answer: the entry holds what was put in. */
export const threadMessage: SurfaceDefinition = {
  operation: "threads.messages.create",
  request(body, options, request) {
    const { content, role, attachments } = body;
    const plain =
      role === "user" && typeof content === "string" && listOf(attachments).length === 0;
    const input = plain ? content : pickStated(body, ["role", "content", "attachments"]);
    return mergeFields(requestFields(snapshot(input), {}, options), idsOf(request));
  },
  response(body) {
    return defined({ output: "", responseId: textOf(fieldsOf(body)["id"]) });
  },
};
