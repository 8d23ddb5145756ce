// The calls of one connection, in both directions: each from its request to its answer. Over 300
// lines: both directions are one state machine over the same ids, tasks and rounds.
import { randomUUID } from "node:crypto";
import { AuditWriteError, currentAuditContext, withAuditContext } from "@ai-audit/core";
import {
  type CapturedFields,
  defined,
  type Fields,
  fieldsOf,
  guarded,
  isFields,
  listOf,
  mergeFields,
  RecentMap,
  type RecordedCall,
  type Run,
  textOf,
  thrownErrorFields,
} from "@ai-audit/core/capture";
import {
  implementationOf,
  isRecorded,
  readCancellation,
  readDecision,
  readError,
  readRequest,
  type ReadRequest,
  readResult,
} from "./methods.ts";
import type { Settings } from "./options.ts";
import { ListedTools } from "./tools.ts";

/** The transport beneath the audit. */
interface Wire {
  readonly send: (message: unknown, how?: unknown) => Promise<void>;
  readonly fail: (error: unknown) => void;
}

/** One recorded call in flight. */
interface Open {
  readonly method: string;
  readonly run: Run & { readonly id: string };
  readonly call: RecordedCall;
}

type Side = "sent" | "served";

/** Results that come later, and rounds that wait for input: more of them forget the oldest. */
const MAX_WAITING = 10_000;
/** JSON-RPC's code of an internal error. */
const INTERNAL_ERROR = -32_603;
const UNWRITTEN = "the audit entry of this request could not be written";

/** Sees all messages of one transport. */
export class Connection {
  readonly #settings: Settings;
  readonly #wire: Wire;
  readonly #sessionId: () => unknown;
  readonly #tools: ListedTools;
  /** By JSON-RPC id. A peer may use one id twice: each request has its entry. */
  readonly #open: Readonly<Record<Side, Map<unknown, Open[]>>> = {
    sent: new Map(),
    served: new Map(),
  };
  /** Calls whose result comes under another request, by the task's id. */
  readonly #tasks = new Map<string, Open>();
  /** The run of a round that asked for input, by its `requestState`. */
  readonly #rounds: RecentMap<string, string> = new RecentMap(MAX_WAITING);
  /** Messages that a transport sends or hands on once more, from within. */
  readonly #passing = new WeakSet<object>();
  /** Requests `initialize` in flight, and `tasks/result` by the task they ask for. */
  readonly #asked = new Map<unknown, { readonly method: string; readonly taskId?: string }>();
  #facts: Fields = {};
  #tail: Promise<void> | undefined;

  constructor(settings: Settings, wire: Wire, sessionId: () => unknown) {
    this.#settings = settings;
    this.#wire = wire;
    this.#sessionId = sessionId;
    this.#tools = new ListedTools(settings.approvedTools);
  }

  /** Sends a message, with its start durable before or its end durable before. */
  async send(message: unknown, how?: unknown): Promise<void> {
    if (!isFields(message) || this.#passing.has(message)) return this.#wire.send(message, how);
    this.#passing.add(message);
    try {
      if (isRequest(message)) await this.#sendRequest(message, how);
      else if ("id" in message) await this.#sendAnswer(message, how);
      else {
        this.#notified(message, "sent");
        await this.#wire.send(message, how);
      }
    } finally {
      this.#passing.delete(message);
    }
  }

  /** Hands a received message on, in the order of arrival. */
  receive(message: unknown, extra: unknown, handOn: (message: unknown) => unknown): void {
    if (!isFields(message) || this.#passing.has(message)) {
      handOn(message);
      return;
    }
    const step = this.#received(message, extra, (kept = message) => {
      this.#passing.add(kept); // chained handlers get it again
      try {
        handOn(kept);
      } finally {
        this.#passing.delete(kept);
      }
    });
    if (this.#tail === undefined && typeof step === "function") {
      step();
      return;
    }
    const tail = Promise.all([step, this.#tail])
      .then(([run]) => run())
      .catch((error: unknown) => this.#wire.fail(error))
      .finally(() => {
        if (this.#tail === tail) this.#tail = undefined;
      });
    this.#tail = tail;
  }

  /** Ends the calls that the connection leaves without an answer. */
  close(): void {
    const fields: CapturedFields = {
      outcome: "abandoned",
      output: "",
      error: { type: "ConnectionClosed", message: "the connection closed under the call" },
    };
    for (const calls of [this.#open.sent, this.#open.served]) {
      for (const open of [...calls.values()].flat()) void settled(open.call.end(fields));
      calls.clear();
    }
    for (const open of this.#tasks.values()) void settled(open.call.end(fields));
    this.#tasks.clear();
    this.#asked.clear();
  }

  async #sendRequest(message: Fields, how: unknown): Promise<void> {
    const { id, method, params } = message;
    this.#ask(id, method, params, "sent");
    if (!isRecorded(method)) return this.#wire.send(message, how);
    const begun = this.#begin("sent", id, method, params, undefined);
    const open = begun.open instanceof Promise ? await begun.open : begun.open;
    this.#watch(id, open, how);
    try {
      await this.#wire.send(message, how);
    } catch (thrown) {
      this.#take("sent", id, open);
      await settled(open.call.end(mergeFields({ output: "" }, thrownErrorFields(thrown))));
      throw thrown;
    }
  }

  /** Over HTTP, the newest protocol cancels a request by closing its stream. */
  #watch(id: unknown, open: Open, how: unknown): void {
    const { requestSignal: signal } = fieldsOf(how);
    if (!(signal instanceof AbortSignal)) return;
    const stop = (): void => {
      this.#take("sent", id, open);
      void settled(open.call.end(readCancellation(undefined)));
    };
    signal.addEventListener("abort", stop, { once: true });
  }

  async #sendAnswer(message: Fields, how: unknown): Promise<void> {
    const { id } = message;
    const open = this.#take("served", id);
    const ended = this.#answered(open, message, "served");
    if (ended === undefined) return this.#wire.send(message, how);
    try {
      await ended;
    } catch (unwritten) {
      if (!(unwritten instanceof AuditWriteError)) throw unwritten;
      return this.#wire.send(refusal(id), how);
    }
    return this.#wire.send(message, how);
  }

  #received(
    message: Fields,
    extra: unknown,
    handOn: (kept?: Fields) => void,
  ): (() => void) | Promise<() => void> {
    const { id, method, params } = message;
    if (isRequest(message)) {
      this.#ask(id, method, params, "served");
      if (!isRecorded(method)) return handOn;
      const begun = this.#begin("served", id, method, params, extra);
      const inRun = (): void => begun.within(handOn);
      if (!(begun.open instanceof Promise)) return inRun;
      return begun.open.then(
        () => inRun,
        () => () => void settled(this.#wire.send(refusal(id), { relatedRequestId: id })),
      );
    }
    if (!("id" in message)) {
      this.#notified(message, "served");
      return handOn;
    }
    const open = this.#take("sent", id);
    const ended = this.#answered(open, message, "sent");
    if (ended === undefined) return handOn;
    return ended.then(
      () => handOn,
      () => () => handOn(refusal(id)), // the caller gets the error in place of the answer
    );
  }

  #begin(
    side: Side,
    id: unknown,
    method: string,
    params: unknown,
    extra: unknown,
  ): { readonly open: Open | Promise<Open>; readonly within: (fn: () => void) => void } {
    const read = this.#read(method, params);
    const state = textOf(fieldsOf(params)["requestState"]);
    const continues = state === undefined ? undefined : this.#rounds.get(state);
    const run = { ...read.run, ...(continues && { continues }), id: randomUUID() };
    const auth = fieldsOf(fieldsOf(extra)["authInfo"]);
    const within = <T>(fn: () => T): T =>
      withAuditContext({ run, ...actorOf(auth, this.#settings) }, fn);
    const facts = guarded("request", () => this.#factsOf(read, params, auth, side));
    const placed = within(() => {
      this.#decisions(side, params, run.id);
      const { run: place, actor } = currentAuditContext();
      return { run: place, actor };
    });
    const call = this.#settings[side].begin(mergeFields(read.fields, facts, placed));
    const track = (begun: RecordedCall): Open => {
      const open = { method, run: { ...placed.run, id: run.id }, call: begun };
      const calls = this.#open[side];
      calls.set(id, [...(calls.get(id) ?? []), open]);
      return open;
    };
    return { open: call instanceof Promise ? call.then(track) : track(call), within };
  }

  #read(method: string, params: unknown): ReadRequest {
    let read: ReadRequest | undefined;
    const failed = guarded("request", () => {
      read = readRequest(method, params, this.#settings.bounds);
      return {};
    });
    const run = { name: method };
    const fields = { operation: method, input: "", ...failed };
    return read ?? { method, name: undefined, run, fields };
  }

  /** Answers of people that come with a repeated request, each as a decision. */
  #decisions(side: Side, params: unknown, of: string): void {
    for (const answer of Object.values(fieldsOf(fieldsOf(params)["inputResponses"]))) {
      const result = fieldsOf(answer);
      if (textOf(result["action"]) === undefined) continue;
      const fields = guarded("decision", () => readDecision(result, of));
      const entry = mergeFields({ operation: "human_review", input: "" }, fields);
      void settled(this.#settings[side].record(entry));
    }
  }

  #factsOf(read: ReadRequest, params: unknown, auth: Fields, side: Side): CapturedFields {
    const meta = fieldsOf(fieldsOf(params)["_meta"]);
    const { method, name } = read;
    const tool =
      method === "tools/call" && name !== undefined ? this.#tools.facts(name) : undefined;
    const mcp = defined({
      method,
      side: side === "sent" ? "caller" : "served",
      ...this.#facts,
      client: implementationOf(meta["io.modelcontextprotocol/clientInfo"]) ?? this.#facts["client"],
      session_id: textOf(this.#sessionId()),
      client_id: textOf(auth["clientId"]),
      scopes: auth["scopes"] === undefined ? undefined : listOf(auth["scopes"]).filter(isString),
      tool,
    });
    return { metadata: { mcp } };
  }

  /** Ends a call by its answer. Undefined where there is nothing to wait for. */
  #answered(open: Open | undefined, message: Fields, side: Side): Promise<unknown> | undefined {
    const { id, error, result } = message;
    const asked = this.#asked.get(keyOf(side, id));
    this.#asked.delete(keyOf(side, id));
    if (asked?.method === "initialize" || asked?.method === "server/discover")
      this.#learn(fieldsOf(result));
    const task = asked?.taskId === undefined ? undefined : this.#task(side, asked.taskId);
    const target = open ?? task;
    if (target === undefined) return undefined;
    if (error !== undefined) return target.call.end(readError(error));
    const created = textOf(fieldsOf(fieldsOf(result)["task"])["taskId"]);
    if (open && created !== undefined) {
      open.call.add({ metadata: { task_id: created } });
      this.#wait(keyOf(side, created), open);
      return undefined;
    }
    const fields = guarded("answer", () => {
      const { bounds } = this.#settings;
      const of = target.run.parentId ?? target.run.id;
      const read = readResult(target.method, result, { of, bounds });
      const listed = target.method === "tools/list" ? this.#tools.list(result) : {};
      const state = textOf(fieldsOf(result)["requestState"]);
      if (read.outcome === "interrupted" && state) this.#rounds.set(state, target.run.id);
      return mergeFields(read, listed);
    });
    return target.call.end(mergeFields({ outcome: "ok" }, fields));
  }

  /** Keeps a call open until its task has a result. The oldest of too many is given up. */
  #wait(key: string, open: Open): void {
    this.#tasks.set(key, open);
    if (this.#tasks.size <= MAX_WAITING) return;
    for (const [oldest, { call }] of this.#tasks) {
      this.#tasks.delete(oldest);
      void settled(call.end({ outcome: "abandoned", output: "" }));
      return;
    }
  }

  #task(side: Side, taskId: string): Open | undefined {
    const key = keyOf(side, taskId);
    const open = this.#tasks.get(key);
    this.#tasks.delete(key);
    return open;
  }

  /** Remembers requests whose answers tell about the connection or end another call. */
  #ask(id: unknown, method: unknown, params: unknown, side: Side): void {
    if (method === "initialize" || method === "server/discover") {
      const client = implementationOf(fieldsOf(params)["clientInfo"]);
      this.#facts = { ...this.#facts, ...(client !== undefined && { client }) };
      this.#asked.set(keyOf(side, id), { method });
    } else if (method === "tasks/result") {
      const taskId = textOf(fieldsOf(params)["taskId"]);
      if (taskId !== undefined) this.#asked.set(keyOf(side, id), { method, taskId });
    } else if (method === "tasks/cancel") {
      const taskId = textOf(fieldsOf(params)["taskId"]);
      const open = taskId === undefined ? undefined : this.#task(side, taskId);
      if (open) void settled(open.call.end(readCancellation(undefined)));
    }
  }

  #learn(result: Fields): void {
    const server = implementationOf(
      result["serverInfo"] ?? fieldsOf(result["_meta"])["io.modelcontextprotocol/serverInfo"],
    );
    const version = textOf(result["protocolVersion"]);
    this.#facts = defined({ ...this.#facts, server, protocol_version: version });
  }

  /** A cancellation ends the call that it names: ours when we send it, the peer's otherwise. */
  #notified(message: Fields, side: Side): void {
    if (message["method"] !== "notifications/cancelled") return;
    const { requestId, reason } = fieldsOf(message["params"]);
    const open = this.#take(side, requestId);
    if (open) void settled(open.call.end(readCancellation(reason)));
  }

  /** Removes an open call: this one, or the first with the id. */
  #take(side: Side, answered: unknown, wanted?: Open): Open | undefined {
    const calls = this.#open[side];
    // SDK 1.x takes the digits of its own numeric id for the id.
    const isDigits = side === "sent" && !calls.has(answered) && typeof answered === "string";
    const id = isDigits ? Number(answered) : answered;
    const [first, ...others] = calls.get(id) ?? [];
    const rest = wanted === undefined ? others : (calls.get(id) ?? []).filter((o) => o !== wanted);
    if (rest.length === 0) calls.delete(id);
    else calls.set(id, rest);
    return wanted ?? first;
  }
}

function isRequest(message: Fields): boolean {
  return typeof message["method"] === "string" && "id" in message;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** A number and its digits as a string are two ids. */
function keyOf(side: Side, id: unknown): string {
  return `${side} ${typeof id} ${String(id)}`;
}

function refusal(id: unknown): Fields {
  return { jsonrpc: "2.0", id, error: { code: INTERNAL_ERROR, message: UNWRITTEN } };
}

/** The authorized client acts, where neither options nor context name an actor. */
function actorOf(auth: Fields, { namesActor }: Settings): object {
  const id = textOf(auth["clientId"]);
  if (id === undefined || namesActor || currentAuditContext().actor !== undefined) return {};
  return { actor: { id, kind: "service" } };
}

/** Waits for an end that nobody can be told of: the recorder reported it. */
async function settled(end: Promise<unknown>): Promise<void> {
  await Promise.allSettled([end]);
}
