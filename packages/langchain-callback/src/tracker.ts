// The runs in flight: open calls, their places among the runs, and one end for each call. Over 300
// lines: begin and end of a run share its state.
import {
  type CallLogger,
  type CallRecorder,
  type CallSink,
  type CapturedFields,
  type JsonValue,
  type OpenRequest,
  causesOf,
  fieldsOf,
  listOf,
  nameOf,
} from "@ai-audit/core/capture";
import type { FirstHandlers } from "./first-handler.ts";
import type { Decision } from "./decisions.ts";
import type { SafetyEvent } from "./middleware.ts";
import { type ModelHost, OpenRun } from "./open-run.ts";
import type { Settings } from "./options.ts";
import {
  type RunContext,
  RunContexts,
  type RunKind,
  type Scope,
  nameOfRun,
  runOfEvent,
} from "./runs.ts";

/** Arguments of every start callback. */
export interface CallbackStart {
  readonly runId: string;
  readonly parentRunId?: string | undefined;
  readonly tags?: unknown;
  readonly metadata?: Record<string, unknown> | undefined;
  readonly runName?: string | undefined;
  /** A tool's: the call that it answers. */
  readonly toolCallId?: string | undefined;
  /** A model's: invocation parameters, options, batch size. */
  readonly extraParams?: Record<string, unknown> | undefined;
  /** A model's. */
  readonly host?: ModelHost | undefined;
}

/** Bound of contexts per open call. Contexts are small, and chains have them too. */
const CONTEXTS_PER_OPEN_RUN = 10;

/** Keeps the runs of one handler. */
export class RunTracker {
  readonly #settings: Settings;
  readonly #recorder: CallRecorder;
  readonly #sink: CallSink;
  readonly #firstHandlers: FirstHandlers;
  readonly #contexts: RunContexts;
  readonly #open = new Map<RunContext, OpenRun>();
  /** An error passes every node on its way out: it is one event. */
  readonly #reported = new WeakSet<object>();
  /** Decisions that arrived at roots without a thread id. */
  readonly #undecided = new WeakMap<Scope, Decision>();
  /**
   * A stream that is not read to its end gives no callback. LangChain's run manager holds the
   * `metadata` object as long as it can still call back, so once that object is gone the run is
   * over.
   */
  readonly #dropped = new FinalizationRegistry<RunContext>((context) => {
    this.#abandon(context).catch(() => undefined); // counted in `lost` and reported to onAuditError
  });

  constructor(
    settings: Settings,
    recorder: CallRecorder,
    { callSink }: CallLogger,
    firstHandlers: FirstHandlers,
  ) {
    this.#settings = settings;
    this.#sink = callSink;
    this.#recorder = recorder;
    this.#firstHandlers = firstHandlers;
    this.#contexts = new RunContexts(settings);
  }

  /** The run that a callback is about; undefined when it has ended or never began here. */
  find(runId: string, tags: unknown): RunContext | undefined {
    return this.#contexts.find(runId, tags);
  }

  /** The open call that a callback is about. */
  openRun(runId: string, tags: unknown): OpenRun | undefined {
    const context = this.#contexts.find(runId, tags);
    return context && this.#open.get(context);
  }

  /**
   * For a known run: the same handler may be registered twice, and is then called twice. Settles as
   * the run's first start did.
   */
  known({ runId, tags }: CallbackStart): Promise<void> | undefined {
    const context = this.#contexts.started(runId, tags);
    return context && Promise.resolve(this.#open.get(context)?.started).then(() => undefined);
  }

  /** Adds a run. */
  enter(
    kind: RunKind,
    serialized: unknown,
    { runId, parentRunId, tags, metadata, runName, toolCallId }: CallbackStart,
  ): RunContext {
    const name = nameOfRun(runName, fieldsOf(serialized), kind);
    const [origin, part] = listOf(fieldsOf(serialized)["id"]);
    const context = this.#contexts.enter({
      id: runId,
      parentId: parentRunId,
      kind,
      name,
      tags,
      metadata: fieldsOf(metadata),
      isGraph: origin === "langgraph" && part === "pregel",
      toolCallId,
    });
    if (metadata) this.#dropped.register(metadata, context, context);
    return context;
  }

  /**
   * Begins the call of an entry, unless another handler of the logger has. `describe` is called at
   * once: LangChain's objects change afterwards.
   */
  async begin(
    context: RunContext,
    start: CallbackStart,
    describe: () => CapturedFields,
  ): Promise<void> {
    if (!this.#firstHandlers.take(context, "call")) return;
    const { extraParams } = start;
    const described = withAlerts(describeSafely(describe), context.alerts);
    const batchSize = extraParams?.["batch_size"];
    const open = new OpenRun(context, {
      signal: fieldsOf(extraParams?.["options"])["signal"],
      batchSize: typeof batchSize === "number" ? batchSize : 1,
      ...start.host,
    });
    this.#open.set(context, open);
    const begun = this.#recorder.begin(
      {
        run: context.run,
        ...placeOf(context),
        metadata: context.metadata,
        ...described,
      },
      () => open.unfinished(),
      context.place,
    );
    open.started = begun;
    try {
      await begun;
    } catch (error) {
      this.take(context); // fail-closed: the start is not on record, so nothing is sent
      this.leave(context);
      throw error;
    }
    await this.#enforceBounds();
  }

  /**
   * Hands the open run over to the caller, who ends it; undefined when it has ended or is another
   * handler's.
   */
  take(context: RunContext): OpenRun | undefined {
    const open = this.#open.get(context);
    if (open) this.#firstHandlers.release(context);
    this.#open.delete(context);
    return open;
  }

  /** Ends a taken run. Resolves to its entry's id once the entry is durable. */
  async end(open: OpenRun, describe: () => CapturedFields): Promise<string | undefined> {
    const fields = describeSafely(describe, () => open.partial.fields());
    this.leave(open.context);
    const call = await open.started;
    return call?.end(fields);
  }

  /** Removes a run's context. */
  leave(context: RunContext): void {
    this.#contexts.leave(context);
    this.#dropped.unregister(context);
  }

  /** After the end of a root: ends the open calls under it. */
  async closeScope(root: RunContext, rootError?: unknown): Promise<void> {
    const { scope } = root;
    const ends: Promise<unknown>[] = [];
    const decision = this.#undecided.get(scope);
    if (decision) ends.push(this.#recordDecision(root, decision));
    for (const context of scope.members) {
      const open = this.take(context);
      if (open) ends.push(this.end(open, () => open.unfinished(rootError)));
      else this.leave(context);
    }
    await awaitAll(ends);
  }

  /** Keeps the content that a safety check is about to see, until its node ends. */
  noteChecked(context: RunContext, find: () => JsonValue | undefined): void {
    try {
      const checked = find();
      if (checked !== undefined) context.checked = checked;
    } catch {
      context.checked = "[could not be read]"; // a message whose members throw
    }
  }

  /** Records an event that is not a call, once, at its place among the runs. */
  async record(context: RunContext, find: () => SafetyEvent | undefined): Promise<void> {
    const event = findSafely(find);
    if (event?.cause) this.noteFailure(context, event.cause);
    if (event && !this.#isReported(event, context.scope)) await this.#recordEvent(context, event);
  }

  async #recordEvent(context: RunContext, event: SafetyEvent): Promise<void> {
    if (this.#firstHandlers.take(context, "event")) await this.#write(context, event.fields);
  }

  async #write(context: RunContext, fields: CapturedFields): Promise<void> {
    await this.#recorder.record(
      {
        run: runOfEvent(context),
        ...placeOf(context),
        latencyMs: null,
        ...withAlerts(fields, context.alerts),
        metadata: { ...context.metadata, ...fields.metadata },
      },
      context.place,
    );
  }

  /** Records an event that no other event of the run represents, such as a custom event. */
  async recordAlways(context: RunContext, find: () => CapturedFields): Promise<void> {
    if (this.#firstHandlers.takeTurn(context)) await this.#write(context, describeSafely(find));
  }

  /**
   * Records an error that leaves a run and that no entry reports: no model call, tool call or event
   * had it. An error passes every run around it, also as the cause of others.
   */
  async recordFailure(
    context: RunContext,
    error: unknown,
    describe: () => CapturedFields | undefined,
  ): Promise<void> {
    const { failures } = context.scope;
    const isKnown = [error, ...causesOf(error)].some((cause) => failures.has(cause));
    this.noteFailure(context, error);
    if (isKnown || this.#open.has(context)) return;
    const fields = describe();
    if (fields) await this.#recordEvent(context, { fields });
  }

  /** Notes an error that an entry reports. */
  noteFailure({ scope }: RunContext, error: unknown): void {
    for (const cause of [error, ...causesOf(error)]) scope.failures.add(cause);
  }

  /**
   * Records the decisions that a graph is resumed with, once, at the first run that knows its thread:
   * chains around a graph are given the command, but not always the thread. At the latest they are
   * recorded when the root ends.
   */
  async recordDecision(context: RunContext, decision: Decision): Promise<void> {
    if (context.run.threadId !== undefined) await this.#recordDecision(context, decision);
    else if (!context.parent) this.#undecided.set(context.scope, decision);
  }

  async #recordDecision(context: RunContext, { command, describe }: Decision): Promise<void> {
    const { decisions } = context.scope;
    this.#undecided.delete(context.scope);
    if (decisions.has(command)) return;
    decisions.add(command);
    if (!this.#firstHandlers.take(context, "decision")) return;
    const { requests, alerts } = await this.#requestsOf(context.run.threadId);
    const place = { threadId: context.run.threadId, runId: context.id };
    for (const fields of describeAll(() => describe(requests, place)))
      await this.#write(context, withAlerts(fields, alerts));
  }

  /**
   * The requests that wait in this thread. Decisions are recorded even if the log cannot be read.
   */
  async #requestsOf(threadId: string | undefined): Promise<{
    readonly requests: readonly OpenRequest[];
    readonly alerts: readonly string[];
  }> {
    if (threadId === undefined) return { requests: [], alerts: [] };
    try {
      return { requests: await this.#sink.openRequests(threadId), alerts: [] };
    } catch (error) {
      return {
        requests: [],
        alerts: [`ai-audit: the log could not be searched (${nameOf(error)})`],
      };
    }
  }

  /** Notes a retrieval that has ended, for the model calls after it. */
  noteRetrieval(context: RunContext): void {
    this.#contexts.noteRetrieval(context);
  }

  /** Notes a check that a middleware's node ran. */
  noteCheck(node: RunContext, check: string): void {
    this.#contexts.noteCheck(node, check);
  }

  /** The checks that ran before, in the agents that a run is in. */
  checksOf(context: RunContext): string[] {
    return this.#contexts.checksOf(context);
  }

  #isReported({ cause, ids = [] }: SafetyEvent, { interrupts }: Scope): boolean {
    const reported =
      (cause !== undefined && this.#reported.has(cause)) ||
      (ids.length > 0 && ids.every((id) => interrupts.has(id)));
    if (cause) this.#reported.add(cause);
    for (const id of ids) interrupts.add(id);
    return reported;
  }

  /** Ends all open runs. */
  async close(): Promise<void> {
    const open = [...this.#open.keys()].flatMap((context) => this.take(context) ?? []);
    const ends = open.map((run) => this.end(run, () => run.unfinished()));
    for (let oldest = this.#contexts.oldest(); oldest; oldest = this.#contexts.oldest())
      this.leave(oldest);
    await Promise.allSettled(ends); // failures are counted in `lost` and reported to onAuditError
  }

  async #abandon(context: RunContext): Promise<void> {
    const open = this.take(context);
    if (open) await this.end(open, () => open.unfinished());
    else this.leave(context);
  }

  async #enforceBounds(): Promise<void> {
    const { maxOpenRuns } = this.#settings;
    const ends: Promise<unknown>[] = [];
    while (this.#open.size > maxOpenRuns) {
      const [oldest] = this.#open.keys();
      const open = oldest === undefined ? undefined : this.take(oldest);
      if (!open) break;
      const alerts = [`ai-audit: ended as the oldest of more than ${maxOpenRuns} open calls`];
      ends.push(this.end(open, () => ({ ...open.unfinished(), alerts })));
    }
    while (this.#contexts.size > maxOpenRuns * CONTEXTS_PER_OPEN_RUN) {
      const oldest = this.#contexts.oldest();
      if (oldest) this.leave(oldest);
    }
    await awaitAll(ends);
  }
}

/**
 * Waits for all, then rejects with the first rejection: the fail-closed mode wants it, the others
 * must still end.
 */
async function awaitAll(ends: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(ends))
    if (result.status === "rejected") throw result.reason;
}

/** An unforeseen payload still yields an entry, with an alert. */
function describeSafely(
  describe: () => CapturedFields,
  rest: () => CapturedFields = () => ({}),
): CapturedFields {
  try {
    return describe();
  } catch (error) {
    return {
      ...rest(),
      alerts: [
        `ai-audit: not everything could be read (${error instanceof Error ? error.name : typeof error})`,
      ],
    };
  }
}

/** Conversation and person. */
function placeOf({ conversationId, actor }: RunContext): CapturedFields {
  return { ...(conversationId !== undefined && { conversationId }), ...(actor && { actor }) };
}

/** As `describeSafely`, for several entries. */
function describeAll(describe: () => readonly CapturedFields[]): readonly CapturedFields[] {
  try {
    return describe();
  } catch (error) {
    return [
      {
        operation: "human_review",
        alerts: [`ai-audit: a decision could not be read (${nameOf(error)})`],
      },
    ];
  }
}

function withAlerts(fields: CapturedFields, alerts: readonly string[]): CapturedFields {
  return alerts.length === 0
    ? fields
    : { ...fields, alerts: [...alerts, ...(fields.alerts ?? [])] };
}

function findSafely(find: () => SafetyEvent | undefined): SafetyEvent | undefined {
  try {
    return find();
  } catch (error) {
    const name = error instanceof Error ? error.name : typeof error;
    return {
      fields: {
        operation: "guardrail",
        alerts: [`ai-audit: an event could not be read (${name})`],
      },
    };
  }
}
