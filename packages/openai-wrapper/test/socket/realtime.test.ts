// The Realtime API over WebSocket, through both of the SDK's classes: real sockets with TLS on a
// local server.
import { createHash } from "node:crypto";
import { type AuditEntry, AuditLogger, MemoryStorage } from "@ai-audit/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AuditedOpenAI, auditSocket, withAudit } from "../../src/index.ts";
import { type Answer, type Frame, type Peer, startSocketServer } from "./socket-server.ts";

const SESSION = { id: "sess_1", model: "gpt-realtime-2026", instructions: "Be kind." };

const greet = ({ send }: Peer): void => send({ type: "session.created", session: SESSION });

function done(fields: Frame = {}): Frame {
  const message = { type: "message", id: "i2", role: "assistant" };
  return {
    type: "response.done",
    response: {
      id: "r1",
      status: "completed",
      conversation_id: "conv_1",
      output: [{ ...message, content: [{ type: "output_audio", transcript: "Hello." }] }],
      usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 },
      ...fields,
    },
  };
}

const created: Frame = { type: "response.created", response: { id: "r1", status: "in_progress" } };

/** The members of the SDK's sockets that are used here. */
interface Socket {
  readonly url: URL;
  readonly socket: object;
  on(event: string, listener: (event: Frame) => void): unknown;
  send(event: unknown): void;
  close(): void;
}

type Open = (client: unknown) => Socket;

/** Both classes, in the versions that have them. */
const CLASSES: readonly (readonly [version: string, path: string, name: string])[] = [
  ["openai-v5", "beta/realtime/ws", "OpenAIRealtimeWS"],
  ["openai-v5-newest", "realtime/ws", "OpenAIRealtimeWS"],
  ["openai-v6", "realtime/ws", "OpenAIRealtimeWS"],
  ["openai-v6-newest", "realtime/ws", "OpenAIRealtimeWS"],
  ["openai-v7", "realtime/ws", "OpenAIRealtimeWS"],
  ["openai", "realtime/ws", "OpenAIRealtimeWS"],
  ["openai-v5", "beta/realtime/websocket", "OpenAIRealtimeWebSocket"],
  ["openai-v6", "realtime/websocket", "OpenAIRealtimeWebSocket"],
  ["openai", "realtime/websocket", "OpenAIRealtimeWebSocket"],
];

async function openerOf(version: string, path: string, name: string): Promise<Open> {
  const module = (await import(`${version}/${path}`)) as Record<string, unknown>;
  const Class = module[name] as new (props: object, client: unknown) => Socket;
  return (client) => new Class({ model: "gpt-realtime" }, client);
}

/** Runs `script` on an audited socket. Resolves to the entries once there are `count` of them. */
async function entriesOf(
  answer: Answer,
  script: (socket: Socket) => void,
  {
    count = 1,
    row = ["openai", "realtime/ws", "OpenAIRealtimeWS"] as (typeof CLASSES)[number],
  } = {},
): Promise<readonly (AuditEntry & { readonly input: unknown; readonly output: unknown })[]> {
  await using server = await startSocketServer(answer, { tls: true, greet });
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  const { OpenAI } = (await import(row[0])) as { OpenAI: Parameters<typeof withAudit>[0] };
  const Client = withAudit(OpenAI) as unknown as typeof AuditedOpenAI;
  const client = new Client({ apiKey: "k", baseURL: `https://${server.host}/v1`, audit: logger });
  const open = await openerOf(...row);
  const socket = auditSocket(open(client), logger);
  socket.on("error", () => undefined); // without a listener the SDK throws
  let scripted = false;
  socket.on("session.created", () => {
    if (!scripted) script(socket);
    scripted = true;
  });
  const read = (): Promise<AuditEntry[]> => Array.fromAsync(logger.entries());
  await expect.poll(read, { timeout: 5000 }).toHaveLength(count);
  const entries = await read();
  socket.close();
  await logger.close();
  return entries.map((entry) => ({ ...entry, ...contentOf(logger, entry) }));
}

function contentOf(logger: AuditLogger, entry: AuditEntry): { input: unknown; output: unknown } {
  const { input, output } = logger.content(entry);
  return { input, output };
}

const HELLO = {
  type: "conversation.item.create",
  item: { type: "message", role: "user", content: [{ type: "input_text", text: "Hi" }] },
};

function sha256(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

beforeAll(() => {
  process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0"; // the server's certificate is its own
});
afterAll(() => {
  delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
});

describe("a response of the Realtime API", () => {
  it.each(CLASSES)("leaves one entry: %s, %s, %s", async (...row) => {
    const [entry] = await entriesOf(
      ({ type }, { send }) => {
        if (type === "response.create") [created, done()].forEach(send);
      },
      (socket) => [HELLO, { type: "response.create" }].forEach((event) => socket.send(event)),
      { row },
    );
    expect(entry).toMatchObject({
      operation: "realtime",
      outcome: "ok",
      provider: null,
      server: { address: "127.0.0.1" },
      model: "gpt-realtime",
      responseModel: "gpt-realtime-2026",
      responseId: "r1",
      finishReasons: ["completed"],
      inputTokens: 3,
      outputTokens: 4,
      metadata: { session_id: "sess_1", conversation_id: "conv_1" },
      input: { input: [HELLO.item], instructions: "Be kind." },
    });
    expect(entry?.output).toMatchObject([{ content: [{ transcript: "Hello." }] }]);
  });

  it("is recorded though nobody asked for it, with the audio of both sides as digests", async () => {
    const [heard, said] = [Buffer.from("what was heard"), Buffer.from("what was said")];
    const halves = [heard.subarray(0, 6), heard.subarray(6)];
    const [entry] = await entriesOf(
      (frame, { send }) => {
        if (frame["audio"] !== halves[1]?.toString("base64")) return;
        send({ type: "input_audio_buffer.committed", item_id: "i1" });
        send({
          type: "conversation.item.input_audio_transcription.completed",
          item_id: "i1",
          transcript: "Hi",
        });
        send(created);
        const delta = said.toString("base64");
        send({ type: "response.output_audio.delta", response_id: "r1", delta });
        send(done());
      },
      (socket) => {
        for (const half of halves)
          socket.send({ type: "input_audio_buffer.append", audio: half.toString("base64") });
      },
    );
    expect(entry).toMatchObject({
      metadata: { output_audio: { bytes: said.length, sha256: sha256(said) } },
      input: {
        input: [
          { type: "input_audio", id: "i1", bytes: heard.length, sha256: sha256(heard) },
          { item_id: "i1", transcript: "Hi" },
        ],
      },
    });
  });

  it.each<[string, readonly Frame[], object]>([
    [
      "that a filter stopped",
      [
        created,
        done({
          status: "incomplete",
          status_details: { type: "incomplete", reason: "content_filter" },
        }),
      ],
      { outcome: "blocked", detectorsTriggered: ["openai:content_filter"] },
    ],
    [
      "that a person interrupted",
      [created, done({ status: "cancelled", status_details: { reason: "turn_detected" } })],
      { outcome: "aborted", finishReasons: ["turn_detected"] },
    ],
    [
      "that failed",
      [created, done({ status: "failed", status_details: { error: { code: "server_error" } } })],
      { outcome: "error", error: { code: "server_error" } },
    ],
    [
      "that was refused before it began",
      [{ type: "error", error: { event_id: "e1", code: "invalid_value", message: "x" } }],
      { outcome: "error", error: { code: "invalid_value" } },
    ],
  ])("has its outcome: one %s", async (_, answer, expected) => {
    const [entry] = await entriesOf(
      ({ type }, { send }) => {
        if (type === "response.create") answer.forEach(send);
      },
      (socket) => socket.send({ type: "response.create", event_id: "e1" }),
    );
    expect(entry).toMatchObject(expected);
  });

  it("holds the items since the last response, and none twice", async () => {
    let answered = 0;
    const entries = await entriesOf(
      ({ type }, { send }) => {
        if (type !== "response.create") return;
        answered += 1;
        const id = `r${answered}`;
        send({ type: "response.created", response: { id } });
        send(done({ id }));
      },
      (socket) => {
        for (const text of ["one", "two"]) {
          const content = [{ type: "input_text", text }];
          socket.send({ ...HELLO, item: { ...HELLO.item, content } });
          socket.send({ type: "response.create" });
        }
      },
      { count: 2 },
    );
    const texts = entries.map(({ input }) => JSON.stringify(input).match(/one|two/g));
    expect(texts).toEqual([["one"], ["two"]]);
  });
});
