// The Responses API over WebSocket: real sockets of the SDK on a local server.
import { once } from "node:events";
import {
  type AuditEntry,
  AuditLogger,
  type AuditLoggerOptions,
  MemoryStorage,
} from "@ai-audit/core";
import { caught } from "@ai-audit/test-support/caught";
import { describe, expect, it } from "vitest";
import { type Audit, AuditedOpenAI, auditSocket } from "../../src/index.ts";
import { type Answer, type Frame, startSocketServer } from "./socket-server.ts";

const { ResponsesWS } = await import("openai/resources/responses/ws");
const { ResponsesWebSocketSession } =
  await import("openai/lib/responses/responses-websocket-session");
type Socket = InstanceType<typeof ResponsesWS>;

/** Versions of the SDK that have this socket, with their class. */
const VERSIONS = ["openai-v6-newest", "openai-v7", "openai"] as const;

async function classOf(version: (typeof VERSIONS)[number]): Promise<typeof ResponsesWS> {
  const { ResponsesWS: Class } = (await import(`${version}/resources/responses/ws`)) as {
    ResponsesWS: typeof ResponsesWS;
  };
  return Class;
}

const MESSAGE = {
  type: "message",
  id: "m1",
  role: "assistant",
  content: [{ type: "output_text", text: "Hi.", annotations: [] }],
};

function responseOf(fields: Frame = {}): Frame {
  return { id: "resp_1", model: "gpt-5-2026", status: "completed", output: [MESSAGE], ...fields };
}

/** The events of an answer; `end` in place of its last one. */
function events(end: Frame = { type: "response.completed", response: responseOf() }): Frame[] {
  const response = responseOf({ status: "in_progress", output: [] });
  return [
    { type: "response.created", response },
    { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "Hi." },
    end,
  ];
}

const REQUEST = { type: "response.create", model: "gpt-5", input: "Hello" } as const;

interface Bench extends AsyncDisposable {
  readonly logger: AuditLogger;
  readonly frames: readonly Frame[];
  readonly url: string;
  /** An audited socket of an audited client. */
  open(Class?: typeof ResponsesWS, audit?: Audit): Socket;
  entries(): Promise<AuditEntry[]>;
}

async function startBench(answer: Answer, options: AuditLoggerOptions = {}): Promise<Bench> {
  const server = await startSocketServer(answer);
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true, ...options });
  const url = `http://${server.host}/v1`;
  return {
    logger,
    url,
    frames: server.frames,
    open(Class = ResponsesWS, audit = logger) {
      const client = new AuditedOpenAI({ apiKey: "sk-test", baseURL: url, audit: logger });
      const socket = new Class(client);
      socket.on("error", () => undefined); // without a listener the SDK throws
      return auditSocket(socket, audit);
    },
    entries: () => Array.fromAsync(logger.entries()),
    async [Symbol.asyncDispose]() {
      await logger.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function only([entry, ...more]: readonly AuditEntry[]): AuditEntry {
  if (!entry || more.length > 0) throw new Error("expected one entry");
  return entry;
}

/** Resolves with the types of all events up to and with this one. */
function until(socket: Socket, last: string): Promise<string[]> {
  const types: string[] = [];
  return new Promise((resolve) => {
    socket.on("event", ({ type }) => {
      types.push(type);
      if (type === last) resolve(types);
    });
  });
}

describe("a response over a WebSocket", () => {
  it.each(VERSIONS)("leaves one entry, and the same events and frames: %s", async (version) => {
    await using bench = await startBench((_, { send }) => events().forEach(send));
    const Class = await classOf(version);
    const { OpenAI } = (await import(version)) as typeof import("openai");
    const plain = new Class(new OpenAI({ apiKey: "k", baseURL: bench.url }));
    const expected = until(plain, "response.completed");
    plain.send(REQUEST);
    const types = await expected;
    plain.close();

    const socket = bench.open(Class);
    const seen = until(socket, "response.completed");
    socket.send({ ...REQUEST, instructions: "Be brief.", temperature: 0.5 });
    expect(await seen).toEqual(types);
    socket.close();
    expect(bench.frames[1]).toEqual({
      ...bench.frames[0],
      instructions: "Be brief.",
      temperature: 0.5,
    });

    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      operation: "responses",
      outcome: "ok",
      model: "gpt-5",
      responseModel: "gpt-5-2026",
      responseId: "resp_1",
      finishReasons: ["completed"],
      parameters: { temperature: 0.5 },
      streamed: true,
      attempts: 1,
      server: { address: "127.0.0.1" },
    });
    expect(bench.logger.content(entry)).toEqual({
      input: { input: "Hello", instructions: "Be brief." },
      output: "Hi.",
    });
  });

  it.each<[string, Frame, object]>([
    [
      "that a policy stopped",
      {
        type: "response.failed",
        response: responseOf({
          status: "failed",
          output: [],
          error: { code: "bio_policy", message: "no" },
        }),
      },
      {
        outcome: "blocked",
        detectorsTriggered: ["openai:bio_policy"],
        error: { code: "bio_policy" },
      },
    ],
    [
      "that a filter cut",
      {
        type: "response.incomplete",
        response: responseOf({
          status: "incomplete",
          incomplete_details: { reason: "content_filter" },
        }),
      },
      { outcome: "blocked", finishReasons: ["content_filter"] },
    ],
    [
      "with an error in its place",
      { type: "error", status: 400, error: { code: "previous_response_not_found", message: "x" } },
      { outcome: "error", error: { code: "previous_response_not_found" } },
    ],
  ])("has its outcome: one %s", async (_, end, expected) => {
    await using bench = await startBench((_frame, { send }) => events(end).forEach(send));
    const socket = bench.open();
    const seen = until(socket, String(end["type"]));
    socket.send(REQUEST);
    await seen;
    expect(only(await bench.entries())).toMatchObject(expected);
    socket.close();
  });

  it("keeps what had come when the connection breaks", async () => {
    await using bench = await startBench((_, { send, socket }) => {
      events().slice(0, 2).forEach(send);
      setImmediate(() => socket.terminate());
    });
    const socket = bench.open();
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.send(REQUEST);
    await closed;
    const entry = only(await bench.entries());
    expect(entry).toMatchObject({
      outcome: "error",
      error: { type: "SocketClosed", code: "1006" },
    });
    expect(bench.logger.content(entry).output).toBe("Hi.");
  });

  it("is recorded after the SDK has connected again, and so is the one that the break ended", async () => {
    await using bench = await startBench((frame, { send, socket }) => {
      const isBroken = frame["input"] === "Hello";
      events()
        .slice(0, isBroken ? 2 : 3)
        .forEach(send);
      if (isBroken) socket.close(1011); // the SDK reconnects after this code
    });
    const client = new AuditedOpenAI({
      apiKey: "sk-test",
      baseURL: bench.url,
      audit: bench.logger,
    });
    const reconnect = { initialDelay: 1, maxDelay: 1, onReconnecting: () => ({}) };
    const socket = auditSocket(new ResponsesWS(client, { reconnect }), bench.logger);
    socket.on("error", () => undefined);
    const completed = new Promise((resolve) => socket.on("response.completed", resolve));
    const reconnected = new Promise<void>((resolve) => socket.on("reconnected", resolve));
    socket.send(REQUEST);
    await reconnected;
    socket.send({ ...REQUEST, input: "Again" });
    await completed;
    socket.close();
    await bench.logger.flush();
    expect(await bench.entries()).toMatchObject([
      { outcome: "error", error: { type: "SocketClosed", code: "1011" }, inputContent: "Hello" },
      { outcome: "ok", inputContent: "Again", outputContent: "Hi." },
    ]);
  });

  it.each<[string, (bench: Bench, socket: Socket) => unknown, string]>([
    ["the caller closes the socket", (_, socket) => socket.close(), "aborted"],
    ["the logger closes", (bench) => bench.logger.close(), "abandoned"],
  ])("ends when %s", async (_, end, outcome) => {
    await using bench = await startBench((_frame, { send }) => events().slice(0, 2).forEach(send));
    const socket = bench.open();
    const seen = until(socket, "response.output_text.delta");
    const closed = new Promise((resolve) => socket.on("close", resolve));
    socket.send(REQUEST);
    await seen;
    await end(bench, socket);
    if (outcome === "aborted") await closed;
    expect(only(await bench.entries()).outcome).toBe(outcome);
    socket.close();
  });

  it("is told from those of other lanes, also of a session", async () => {
    const waiting: Frame[] = [];
    await using bench = await startBench((frame, { send }) => {
      waiting.push(frame);
      if (waiting.length < 2) return;
      const answers = waiting.map(({ stream_id: lane, input }) =>
        events({
          type: "response.completed",
          response: responseOf({
            id: `resp_${String(lane)}`,
            output: [
              { ...MESSAGE, content: [{ type: "output_text", text: `to ${String(input)}` }] },
            ],
          }),
        }).map((event) => ({ ...event, stream_id: lane })),
      );
      for (const index of [0, 1, 2]) for (const answer of answers) send(answer[index] ?? {});
    });
    const socket = bench.open();
    const limits = { maxLanes: 4, maxBufferedEvents: 100, maxBufferedBytes: 100_000 };
    await new Promise((resolve) => socket.socket.on("open", resolve as () => void));
    const session = new ResponsesWebSocketSession(socket, limits);
    const [a, b] = [session.lane("a"), session.lane("b")];
    a.create({ model: "gpt-5", input: "one" });
    b.create({ model: "gpt-5", input: "two" });
    await Promise.all([a.finalResponse(), b.finalResponse()]);
    const contents = (await bench.entries()).map((entry) => bench.logger.content(entry));
    expect(contents).toEqual([
      { input: "one", output: "to one" },
      { input: "two", output: "to two" },
    ]);
    socket.close();
  });
});

describe("a socket whose entries cannot be written", () => {
  class FullDisk extends MemoryStorage {
    override async append(): Promise<void> {
      throw new Error("ENOSPC: no space left on device");
    }
  }

  it.each([
    ["closed", 4000],
    ["open", 1000],
  ] as const)(
    "is closed when it fails closed, and works on when it fails open: %s",
    async (failureMode, code) => {
      const server = await startSocketServer((_, { send }) => events().forEach(send));
      await using _ = server;
      const logger = new AuditLogger(new FullDisk(), { failureMode });
      const lost: string[] = [];
      const audit = {
        logger,
        failureMode,
        onAuditError: ({ code: said }: { code: string }) => lost.push(said),
      };
      const client = new AuditedOpenAI({ apiKey: "k", baseURL: `http://${server.host}/v1`, audit });
      const socket = auditSocket(new ResponsesWS(client), audit);
      const codes = new Promise((resolve) => socket.on("close", resolve));
      const seen = until(socket, "response.completed");
      socket.send(REQUEST);
      await seen;
      if (failureMode === "open") {
        const again = until(socket, "response.completed");
        socket.send(REQUEST);
        await again;
        socket.close();
      }
      expect(await codes).toBe(code);
      expect(lost[0]).toBe("AUDIT_WRITE_FAILED");
      await logger.close().catch(() => undefined);
    },
  );

  it("sends nothing once the logger is closed", async () => {
    await using bench = await startBench((_, { send }) => events().forEach(send));
    const socket = bench.open();
    const failed = new Promise<Error>((resolve) => socket.on("error", resolve));
    await new Promise((resolve) => socket.socket.on("open", resolve as () => void));
    await bench.logger.close();
    socket.send(REQUEST);
    expect((await failed).cause).toMatchObject({ code: "AUDIT_CLOSED" });
    expect(bench.frames).toEqual([]);
    socket.close();
  });
});

describe("auditSocket()", () => {
  it.each([
    ["intent", { intent: true }],
    ["detectors", { detectors: [{ name: "d", checkInput: () => undefined }] }],
  ])("refuses %s, which would have to hold events back", async (_, options) => {
    await using bench = await startBench(() => undefined);
    expect(
      caught(() => bench.open(ResponsesWS, { logger: bench.logger, ...options })),
    ).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: "auditSocket: intent and detectors cannot hold back events",
    });
  });

  it.each([
    [
      "an object",
      { url: new URL("wss://x/v1/responses"), socket: {} },
      "not a socket of openai 5, 6 or 7",
    ],
    [
      "a socket of another API",
      { url: new URL("wss://x/v1/live"), socket: {}, on: () => undefined },
      "neither a socket of Responses nor of Realtime",
    ],
  ])("refuses %s", (_, socket, why) => {
    const logger = new AuditLogger(new MemoryStorage());
    expect(caught(() => auditSocket(socket, logger))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: `auditSocket: ${why}`,
    });
  });

  it("is missed: an audited client warns once of sockets that are not recorded", async () => {
    await using bench = await startBench(() => undefined);
    const client = new AuditedOpenAI({
      apiKey: "k",
      baseURL: bench.url,
      audit: { logger: bench.logger },
    });
    const warned = once(process, "warning") as Promise<[Error & { code: string }]>;
    const sockets = [new ResponsesWS(client), new ResponsesWS(client)];
    const [warning] = await warned;
    expect(warning).toMatchObject({ name: "AuditWarning", code: "AUDIT_SOCKET_UNSEEN" });
    for (const socket of sockets) socket.on("error", () => undefined).close();
  });
});
