// The integration for all calls of a process: model calls that no middleware records, tool calls,
// and the run around both.
import { randomUUID } from "node:crypto";
import { currentAuditContext, withAuditContext } from "@ai-audit/core";
import {
  boundInput,
  boundOutput,
  type CapturedFields,
  currentRunScope,
  type Fields,
  fieldsOf,
  guarded,
  mergeFields,
  RecentMap,
  type RecordedCall,
  snapshot,
  textOf,
  thrownErrorFields,
} from "@ai-audit/core/capture";
import type { Approvals } from "./approvals.ts";
import { generatedFields } from "./answer.ts";
import type { ModelCalls } from "./model-calls.ts";
import { chatInput, type NamedModel } from "./model-facts.ts";
import type { Settings } from "./options.ts";
import type { ToolRequests } from "./tool-requests.ts";

/** Members of an event of the SDK's telemetry. */
type Event = object;

/** For `registerTelemetry` of `ai` 7 and `registerTelemetryIntegration` of `ai` 6. */
export interface AuditTelemetry {
  onStart(event: Event): Promise<void>;
  onStepFinish(event: Event): Promise<void>;
  onToolExecutionEnd(event: Event): Promise<void>;
  onEnd(event: Event): void;
  onAbort(event: Event): void;
  /** `ai` 6 only. */
  onToolCallStart(event: Event): Promise<void>;
  /** `ai` 6 only. */
  onToolCallFinish(event: Event): Promise<void>;
  executeLanguageModelCall<T>(
    options: Event & { readonly callId: string; readonly execute: () => PromiseLike<T> },
  ): Promise<T>;
  executeTool<T>(
    options: Event & {
      readonly callId: string;
      readonly toolCallId: string;
      readonly execute: () => PromiseLike<T>;
    },
  ): Promise<T>;
}

/** The integration's parts, shared with the middleware. */
export interface TelemetryParts {
  readonly settings: Settings;
  readonly calls: ModelCalls;
  readonly requests: ToolRequests;
  readonly approvals: Approvals;
  /** Whether a middleware of this audit wraps a model of this name. */
  readonly isWrapped: (model: NamedModel) => boolean;
}

/** One call of the SDK, such as `generateText`, with its steps. */
interface Operation {
  readonly name: string;
  readonly kind: string;
  /** Calls to the model of the current step that failed: the SDK tries again. */
  failures: number;
  /** An entry that could not be written where the SDK swallows errors. */
  unwritten: unknown;
}

/** Operations whose end is not told are forgotten, the oldest first. */
const MAX_OPERATIONS = 10_000;

/** Makes the integration. */
export function auditTelemetry(parts: TelemetryParts): AuditTelemetry {
  const { settings, calls, requests, approvals, isWrapped } = parts;
  const { recorder, check } = settings;
  const operations = new RecentMap<string, Operation>(MAX_OPERATIONS);
  /** Tool calls in progress, by the operation's and their own id. */
  const tools = new Map<string, RecordedCall>();
  const warned = new Set<string>();

  const operationOf = (event: Fields): Operation => {
    const callId = textOf(event["callId"]) ?? "";
    const known = operations.get(callId);
    if (known) return known;
    const functionId = textOf(event["functionId"]);
    const name = functionId ?? textOf(event["operationId"]) ?? "ai";
    const kind = functionId === undefined ? "chain" : "agent";
    const begun = { name, kind, failures: 0, unwritten: undefined };
    operations.set(callId, begun);
    return begun;
  };
  /** Callbacks cannot stop a call: the next hook that can does. */
  const deferred = async (operation: Operation, write: () => Promise<unknown>): Promise<void> => {
    try {
      await write();
    } catch (unwritten) {
      operation.unwritten ??= unwritten;
    }
  };
  const hold = (operation: Operation): void => {
    if (operation.unwritten !== undefined) throw operation.unwritten;
  };
  const within = <T>(event: Fields, fn: () => T): T => {
    const { name, kind } = operationOf(event);
    const id = textOf(event["callId"]);
    return id === undefined ? fn() : withAuditContext({ run: { id, name, kind } }, fn);
  };
  const endTool = async (event: Fields): Promise<void> => {
    const { toolCall, toolOutput } = event;
    const toolCallId = textOf(fieldsOf(toolCall)["toolCallId"]);
    const key = keyOf(event, toolCallId);
    const call = tools.get(key);
    tools.delete(key);
    await call?.end(guarded("tool's result", () => resultFields(fieldsOf(toolOutput))));
  };
  const resultFields = (toolOutput: Fields): CapturedFields => {
    const { output, error, type } = toolOutput;
    if (type === "tool-error" || error !== undefined)
      return mergeFields({ output: "" }, thrownErrorFields(error));
    const bounded = boundOutput(snapshot(output ?? ""), settings.bounds);
    return { outcome: "ok", output: bounded.value, alerts: bounded.alerts };
  };
  const forget = (given: Event): void => {
    const callId = textOf(fieldsOf(given)["callId"]);
    if (callId !== undefined) operations.delete(callId);
  };
  /** The fields of a tool call, and the run that its work is part of. */
  const toolFields = (toolCall: Fields, toolCallId: string): CapturedFields => {
    const input = boundInput(snapshot(toolCall["input"] ?? ""), settings.bounds);
    const name = textOf(toolCall["toolName"]) ?? "tool";
    const link = requests.take(toolCallId);
    return {
      operation: "execute_tool",
      input: input.value,
      alerts: input.alerts,
      run: { ...link, id: randomUUID(), name, kind: "tool", toolName: name },
    };
  };

  return {
    async onStart(given) {
      const event = fieldsOf(given);
      const operation = operationOf(event);
      warnUnrecorded(event);
      const { messages, prompt } = event;
      const asked = Array.isArray(messages) ? messages : prompt;
      await deferred(operation, () => within(event, () => approvals.inPrompt(asked)));
    },
    async onStepFinish(given) {
      const event = fieldsOf(given);
      const operation = operationOf(event);
      await deferred(operation, () => within(event, () => approvals.inStep(event["content"])));
    },
    async onToolExecutionEnd(given) {
      const event = fieldsOf(given);
      await deferred(operationOf(event), () => endTool(event));
    },
    onEnd: forget,
    onAbort: forget,
    async onToolCallStart(given) {
      const event = fieldsOf(given);
      const toolCall = fieldsOf(event["toolCall"]);
      const toolCallId = textOf(toolCall["toolCallId"]) ?? "";
      const fields = mergeFields(guarded("tool call", () => toolFields(toolCall, toolCallId)));
      tools.set(keyOf(event, toolCallId), await recorder.begin({ input: "", ...fields }));
    },
    async onToolCallFinish(given) {
      const event = fieldsOf(given);
      const { success, output, error } = event;
      const toolOutput = success === true ? { output } : { type: "tool-error", error };
      await endTool({ ...event, toolOutput });
    },
    async executeLanguageModelCall({ execute, ...given }) {
      const event = fieldsOf(given);
      const operation = operationOf(event);
      hold(operation);
      const provider = textOf(event["provider"]) ?? "unknown";
      const model = { provider, modelId: textOf(event["modelId"]) ?? "unknown" };
      const { messages, instructions, system } = event;
      const before = instructions ?? system;
      const attempt = operation.failures + 1;
      const request = {
        operation: "chat",
        model,
        params: event,
        input: chatInput(messages, before === undefined ? {} : { instructions: before }),
        read: generatedFields,
        run: attempt > 1 ? { attempt } : {},
      };
      try {
        const result = await within(event, () => calls.attempt(request, execute, isWrapped(model)));
        operation.failures = 0;
        return result;
      } catch (error) {
        operation.failures += 1;
        throw error;
      }
    },
    async executeTool({ execute, ...given }) {
      const event = fieldsOf(given);
      const { toolCallId } = given;
      hold(operationOf(event));
      return within(event, async () => {
        const toolCall = fieldsOf(event["toolCall"]);
        const fields = guarded("tool call", () => toolFields(toolCall, toolCallId));
        const run = { id: randomUUID(), ...fields.run };
        const outer = currentRunScope();
        return withAuditContext({ run }, async () => {
          const place = currentAuditContext().run;
          const begun = { operation: "execute_tool", input: "", ...fields, run: place };
          const call = await recorder.begin(check.bounded(begun), undefined, outer);
          tools.set(keyOf(event, toolCallId), call);
          try {
            return await execute();
          } catch (error) {
            tools.delete(keyOf(event, toolCallId));
            await call.end(mergeFields({ output: "" }, thrownErrorFields(error)));
            throw error;
          }
        });
      });
    },
  };

  /** `ai` 6 has no hook for model calls: only the middleware records them. */
  function warnUnrecorded(event: Fields): void {
    const { provider, modelId } = fieldsOf(event["model"]);
    if (event["callId"] !== undefined || typeof provider !== "string") return;
    const model = { provider, modelId: textOf(modelId) ?? "" };
    const name = `${provider} ${model.modelId}`;
    if (isWrapped(model) || warned.has(name) || warned.size >= MAX_WARNINGS) return;
    warned.add(name);
    process.emitWarning(
      `calls of ${name} leave no entry: wrap the model with the middleware of auditAiSdk()`,
      { type: "AuditWarning", code: "AUDIT_MODEL_UNRECORDED" },
    );
  }
}

const MAX_WARNINGS = 100;

function keyOf(event: Fields, toolCallId: string | undefined): string {
  return `${textOf(event["callId"]) ?? ""} ${toolCallId ?? ""}`;
}
