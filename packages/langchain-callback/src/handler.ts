// AuditCallbackHandler: the one seam to LangChain. Callbacks report events; RunTracker writes one
// entry per call. Over 300 lines: one method for each callback of LangChain.
import {
  type CallLogger,
  CallRecorder,
  type CaptureStats,
  type CapturedFields,
  fieldsOf,
} from "@ai-audit/core/capture";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import { destinationOf } from "./destination.ts";
import { firstHandlersOf } from "./first-handler.ts";
import { failureFields, resultFields } from "./endings.ts";
import { describeFailure } from "./failure.ts";
import { decisionIn } from "./decisions.ts";
import {
  checkOfNode,
  checkedBy,
  customEvent,
  eventOfEnd,
  eventOfError,
  eventOfFailure,
  eventOfSteering,
} from "./middleware.ts";
import { describeModelStart, toolCallIds } from "./model.ts";
import type { OpenRun } from "./open-run.ts";
import { type AuditCallbackOptions, type Settings, resolveOptions } from "./options.ts";
import { type RunContext, retrievalsBefore } from "./runs.ts";
import { snapshot } from "./snapshot.ts";
import {
  answeredCall,
  describeDocuments,
  describeRetriever,
  describeToolInput,
  describeToolOutput,
} from "./tool.ts";
import { ToolRequests } from "./tool-requests.ts";
import { type CallbackStart, RunTracker } from "./tracker.ts";

/** Parameters that LangChain passes at starts; only those that are read are named. */
type Params = Record<string, unknown>;

/**
 * Writes one entry for every model and tool call of LangChain and LangGraph. Give it to a model's
 * constructor, to `invoke`, or to a chain, agent or graph – or to several of these at once. When
 * LangChain calls several handlers of one logger for a run, only the first one writes its entry.
 * Handlers of different loggers are independent.
 *
 * The entry is durable before `invoke` resolves or the stream ends.
 *
 * @example
 * const handler = new AuditCallbackHandler(logger);
 * const model = new ChatOpenAI({ model: "gpt-5", callbacks: [handler] });
 */
export class AuditCallbackHandler extends BaseCallbackHandler {
  override readonly name: string = "audit_callback_handler";
  readonly #settings: Settings;
  readonly #recorder: CallRecorder;
  readonly #tracker: RunTracker;
  readonly #requests = new ToolRequests();

  /** Throws `AUDIT_CONFIG_INVALID`. */
  constructor(logger: CallLogger, options: AuditCallbackOptions = {}) {
    const settings = resolveOptions(logger, options);
    const recorder = new CallRecorder({ ...options, logger }, "framework");
    super({ _awaitHandler: true, raiseError: recorder.failsClosed });
    this.#settings = settings;
    this.#recorder = recorder;
    this.#tracker = new RunTracker(settings, recorder, logger, firstHandlersOf(logger));
  }

  /** Calls open now, entries written and entries lost, since the handler was made. */
  get stats(): CaptureStats {
    return this.#recorder.stats;
  }

  /** LangChain copies handlers for child runs; all runs share this one's state. */
  override copy(): this {
    return this;
  }

  /**
   * Ends open calls as abandoned. The handler stays usable. `AuditLogger.close()` does this too.
   */
  async close(): Promise<void> {
    await this.#tracker.close();
  }

  override async handleChatModelStart(
    llm: unknown,
    messages: unknown[][],
    runId: string,
    parentRunId?: string,
    extraParams?: Params,
    tags?: string[],
    metadata?: Params,
    runName?: string,
  ): Promise<void> {
    await this.#startModel(llm, messages[0] ?? [], {
      runId,
      parentRunId,
      extraParams,
      tags,
      metadata,
      runName,
    });
  }

  override async handleLLMStart(
    llm: unknown,
    prompts: string[],
    runId: string,
    parentRunId?: string,
    extraParams?: Params,
    tags?: string[],
    metadata?: Params,
    runName?: string,
  ): Promise<void> {
    await this.#startModel(llm, prompts[0] ?? "", {
      runId,
      parentRunId,
      extraParams,
      tags,
      metadata,
      runName,
    });
  }

  async #startModel(
    llm: unknown,
    prompt: readonly unknown[] | string,
    start: CallbackStart,
  ): Promise<void> {
    const known = this.#tracker.known(start);
    if (known) return known;
    const context = this.#tracker.enter("model", llm, start);
    const params = fieldsOf(start.extraParams?.["invocation_params"]);
    const metadata = fieldsOf(start.metadata);
    const host = destinationOf(metadata, llm);
    const safetyChecks = this.#tracker.checksOf(context);
    const retrievals = retrievalsBefore(context);
    await this.#tracker.begin(context, { ...start, host }, () => ({
      ...describeModelStart({ prompt, params, metadata, destination: host }, this.#settings),
      ...(safetyChecks.length > 0 && { safetyChecks }),
      ...(retrievals.length > 0 && { run: { ...context.run, retrievals } }),
    }));
  }

  override handleLLMNewToken(
    token: string,
    indices: { completion?: number } | undefined,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
    fields?: { chunk?: unknown },
  ): void {
    const open = this.#tracker.openRun(runId, tags);
    open?.partial.token(token, indices?.completion ?? 0, fields?.chunk, open.elapsedMs);
  }

  override handleChatModelStreamEvent(
    event: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): void {
    const open = this.#tracker.openRun(runId, tags);
    open?.partial.event(event, open.elapsedMs);
  }

  override async handleLLMEnd(
    output: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
    extraParams?: Params,
  ): Promise<void> {
    const open = this.#takeModel(runId, tags);
    if (!open) return;
    const cached = extraParams?.["cached"] === true;
    let asked: readonly string[] = [];
    const entryId = await this.#tracker.end(open, () => {
      asked = toolCallIds(output);
      return resultFields(open, output, cached, this.#settings);
    });
    this.#requests.note(asked, open.context, entryId);
  }

  #takeModel(runId: string, tags: unknown): OpenRun | undefined {
    const context = this.#tracker.find(runId, tags);
    const open = context && this.#tracker.take(context);
    if (context && !open) this.#tracker.leave(context);
    return open;
  }

  override async handleLLMError(
    error: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): Promise<void> {
    const open = this.#takeModel(runId, tags);
    if (open) this.#tracker.noteFailure(open.context, error);
    if (open) await this.#tracker.end(open, () => failureFields(open, error, this.#settings));
  }

  override async handleChainStart(
    chain: unknown,
    inputs: unknown,
    runId: string,
    // The order in which LangChain passes them, which is not the one its types declare.
    parentRunId?: string,
    tags?: string[],
    metadata?: Params,
    _runType?: string,
    runName?: string,
  ): Promise<void> {
    const start = { runId, parentRunId, tags, metadata, runName };
    const known = this.#tracker.known(start);
    if (known) return known;
    const context = this.#tracker.enter("chain", chain, start);
    const { captureChains, captureEvents, inlineBytes } = this.#settings;
    const decision = decisionIn(inputs, inlineBytes);
    if (decision) await this.#tracker.recordDecision(context, decision);
    const steering = captureEvents && eventOfSteering(context, inputs, inlineBytes);
    if (steering) await this.#tracker.recordAlways(context, () => steering);
    this.#tracker.noteChecked(context, () => checkedBy(context.name, inputs, inlineBytes));
    if (captureChains === "none" || (captureChains === "roots" && context.parent)) return;
    await this.#tracker.begin(context, start, () => ({
      operation: context.run["agentName"] === context.name ? "invoke_agent" : "invoke_chain",
      input: snapshot(inputs, inlineBytes),
    }));
  }

  override async handleChainEnd(
    outputs: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): Promise<void> {
    const context = this.#tracker.find(runId, tags);
    if (!context) return;
    const { inlineBytes } = this.#settings;
    const node = checkOfNode(context.name);
    if (node) this.#tracker.noteCheck(context, node.check);
    if (node || this.#settings.captureEvents)
      await this.#tracker.record(context, () => eventOfEnd(context, outputs, inlineBytes));
    await this.#endChain(context, () => ({
      outcome: "ok",
      output: snapshot(outputs, inlineBytes),
    }));
  }

  override async handleChainError(
    error: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): Promise<void> {
    const context = this.#tracker.find(runId, tags);
    if (!context) return;
    await this.#tracker.record(context, () => eventOfError(error, this.#settings.inlineBytes));
    if (this.#settings.captureEvents)
      await this.#tracker.recordFailure(context, error, () => eventOfFailure(error));
    await this.#endChain(context, () => describeFailure(error, undefined), error);
  }

  override async handleCustomEvent(
    eventName: string,
    data: unknown,
    runId: string,
    tags?: string[],
  ): Promise<void> {
    const context = this.#tracker.find(runId, tags) ?? this.#tracker.find(runId, undefined);
    const { captureEvents, inlineBytes } = this.#settings;
    // Packages of models dispatch each request and chunk as an event: the call's entry has them.
    if (!context || context.kind === "model" || !captureEvents) return;
    await this.#tracker.recordAlways(context, () => customEvent(eventName, data, inlineBytes));
  }

  override async handleToolStart(
    tool: unknown,
    input: unknown,
    runId: string,
    parentRunId?: string,
    tags?: string[],
    metadata?: Params,
    runName?: string,
    toolCallId?: string,
  ): Promise<void> {
    const start = { runId, parentRunId, tags, metadata, runName, toolCallId };
    const known = this.#tracker.known(start);
    if (known) return known;
    const context = this.#tracker.enter("tool", tool, start);
    if (!this.#settings.captureTools) return;
    await this.#tracker.begin(context, start, () => ({
      operation: "execute_tool",
      input: describeToolInput(input, this.#settings.inlineBytes),
      run: {
        ...context.run,
        toolName: context.name,
        ...this.#requests.linkOf(toolCallId, context),
      },
    }));
  }

  override handleToolEvent(
    _chunk: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): void {
    const open = this.#tracker.openRun(runId, tags);
    open?.partial.event(undefined, open.elapsedMs);
  }

  override async handleToolEnd(
    output: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): Promise<void> {
    await this.#endRun(runId, tags, (context) => {
      const call = answeredCall(output);
      return {
        ...describeToolOutput(output, this.#settings.inlineBytes),
        run: { ...call, ...this.#requests.linkOf(call.toolCallId, context) },
      };
    });
  }

  override async handleToolError(
    error: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): Promise<void> {
    const context = this.#tracker.find(runId, tags);
    if (context)
      await this.#tracker.record(context, () => eventOfError(error, this.#settings.inlineBytes));
    if (context && this.#settings.captureTools) this.#tracker.noteFailure(context, error);
    await this.#endRun(runId, tags, () => describeFailure(error, undefined), error);
  }

  override async handleRetrieverStart(
    retriever: unknown,
    query: string,
    runId: string,
    parentRunId?: string,
    tags?: string[],
    metadata?: Params,
    runName?: string,
  ): Promise<void> {
    const start = { runId, parentRunId, tags, metadata, runName };
    const known = this.#tracker.known(start);
    if (known) return known;
    const context = this.#tracker.enter("retriever", retriever, start);
    if (!this.#settings.captureRetrievers) return;
    await this.#tracker.begin(context, start, () => ({
      operation: "retrieval",
      input: query,
      run: { ...context.run, ...describeRetriever(fieldsOf(metadata)) },
    }));
  }

  override async handleRetrieverEnd(
    documents: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): Promise<void> {
    const { captureRetrievers, inlineBytes } = this.#settings;
    const context = this.#tracker.find(runId, tags);
    if (context && captureRetrievers) this.#tracker.noteRetrieval(context);
    await this.#endRun(runId, tags, () => describeDocuments(documents, inlineBytes));
  }

  override async handleRetrieverError(
    error: unknown,
    runId: string,
    _parentRunId?: string,
    tags?: string[],
  ): Promise<void> {
    const context = this.#tracker.find(runId, tags);
    if (context && this.#settings.captureRetrievers) this.#tracker.noteFailure(context, error);
    await this.#endRun(runId, tags, () => describeFailure(error, undefined), error);
  }

  async #endRun(
    runId: string,
    tags: unknown,
    describe: (context: RunContext) => CapturedFields,
    error?: unknown,
  ): Promise<void> {
    const context = this.#tracker.find(runId, tags);
    if (context) await this.#endChain(context, () => describe(context), error);
  }

  /** Ends a run that may have runs under it. */
  async #endChain(
    context: RunContext,
    describe: () => CapturedFields,
    error?: unknown,
  ): Promise<void> {
    const open = this.#tracker.take(context);
    const ended = open ? this.#tracker.end(open, describe) : this.#tracker.leave(context);
    if (!context.parent) await this.#tracker.closeScope(context, error);
    await ended;
  }
}
