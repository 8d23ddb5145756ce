// A server that gives one answer of a provider in the provider's own protocol, and the models of
// LangChain's packages that speak it.
import { createServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { crc32 } from "node:zlib";
import { BedrockRuntimeClient } from "@aws-sdk/client-bedrock-runtime";
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatBedrockConverse } from "@langchain/aws";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { ChatGoogle } from "@langchain/google";
import { ChatGoogleGenerativeAI } from "@langchain/google-genai";
import { ChatGroq } from "@langchain/groq";
import { ChatMistralAI } from "@langchain/mistralai";
import { ChatOllama } from "@langchain/ollama";

/** An answer as it stands on the wire. */
export interface NativeAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The events of a stream; how they are framed is the protocol's. */
  readonly events?: readonly unknown[];
}

export interface NativeServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: number;
}

/** How a protocol frames the events of a stream. */
type Framing = "sse" | "ndjson" | "aws";

const CONTENT_TYPES: Readonly<Record<Framing, string>> = {
  sse: "text/event-stream",
  ndjson: "application/x-ndjson",
  aws: "application/vnd.amazon.eventstream",
};

/** Serves these answers in their order, the last one again and again. */
export async function startNativeServer(
  answers: readonly NativeAnswer[],
  framing: Framing,
): Promise<NativeServer> {
  let requests = 0;
  const respond = (request: Readable, response: Response): void => {
    request.resume().on("end", () => {
      const { status = 200, headers, body, events } = answers[requests] ?? answers.at(-1) ?? {};
      requests += 1;
      const type = events ? CONTENT_TYPES[framing] : "application/json";
      response.writeHead(status, { "content-type": type, ...headers });
      if (events) for (const event of events) response.write(frame(event, framing));
      if (events === undefined) response.write(JSON.stringify(body));
      response.end();
    });
  };
  const server =
    framing === "aws"
      ? createHttp2Server((request, response) => respond(request, response))
      : createServer((request, response) => respond(request, response));
  const connections = new Set<Socket>();
  server.on("connection", (socket: Socket) => connections.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The members of both HTTP versions' responses that are used here. */
interface Response {
  writeHead(status: number, headers: Readonly<Record<string, string>>): unknown;
  write(chunk: string | Uint8Array): boolean;
  end(): unknown;
}

function frame(event: unknown, framing: Framing): string | Uint8Array {
  if (framing === "ndjson") return `${JSON.stringify(event)}\n`;
  if (framing === "sse") {
    const named = typeof event === "object" && event !== null && "type" in event;
    return `${named ? `event: ${String(event.type)}\n` : ""}data: ${JSON.stringify(event)}\n\n`;
  }
  // { "<type>": payload }, an exception as { "exception:<type>": payload }
  const [entry] = Object.entries(Object(event));
  const [name, payload] = entry ?? ["", undefined];
  const isException = name.startsWith("exception:");
  return awsMessage(
    isException
      ? { ":exception-type": name.slice("exception:".length), ":message-type": "exception" }
      : { ":event-type": name, ":message-type": "event" },
    JSON.stringify(payload),
  );
}

/** https://smithy.io/2.0/aws/amazon-eventstream.html: lengths, headers, payload, two checksums. */
function awsMessage(named: Readonly<Record<string, string>>, payload: string): Uint8Array {
  const headers = Buffer.concat(
    Object.entries({ ...named, ":content-type": "application/json" }).map(([name, value]) => {
      const head = Buffer.alloc(1 + name.length + 3);
      head.writeUInt8(name.length, 0);
      head.write(name, 1, "latin1");
      head.writeUInt8(7, 1 + name.length); // a string
      head.writeUInt16BE(value.length, 2 + name.length);
      return Buffer.concat([head, Buffer.from(value, "latin1")]);
    }),
  );
  const body = Buffer.from(payload, "utf8");
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(16 + headers.length + body.length, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, headers, body]);
  const end = Buffer.alloc(4);
  end.writeUInt32BE(crc32(message), 0);
  return Buffer.concat([message, end]);
}

/** A package of LangChain that speaks a provider's own protocol. */
export interface NativeHost {
  readonly framing: Framing;
  model(url: string): BaseChatModel;
}

/** By the name of its package, without `@langchain/`. */
export const HOSTS: Readonly<Record<string, NativeHost>> = {
  anthropic: {
    framing: "sse",
    model: (url) =>
      new ChatAnthropic({ model: "m", apiKey: "k", anthropicApiUrl: url, maxRetries: 0 }),
  },
  "google-genai": {
    framing: "sse",
    model: (url) =>
      new ChatGoogleGenerativeAI({ model: "m", apiKey: "k", baseUrl: url, maxRetries: 0 }),
  },
  google: {
    framing: "sse",
    model: (url) => new ChatGoogle({ model: "m", apiKey: "k", endpoint: url, maxRetries: 0 }),
  },
  aws: {
    framing: "aws",
    model: (url) =>
      new ChatBedrockConverse({
        model: "m",
        region: "us-east-1",
        client: new BedrockRuntimeClient({
          region: "us-east-1",
          credentials: { accessKeyId: "a", secretAccessKey: "b" },
          endpoint: url,
          maxAttempts: 1,
        }),
        maxRetries: 0,
      }),
  },
  mistralai: {
    framing: "sse",
    model: (url) => new ChatMistralAI({ model: "m", apiKey: "k", serverURL: url, maxRetries: 0 }),
  },
  groq: {
    framing: "sse",
    model: (url) => new ChatGroq({ model: "m", apiKey: "k", baseUrl: url, maxRetries: 0 }),
  },
  ollama: {
    framing: "ndjson",
    model: (url) => new ChatOllama({ model: "m", baseUrl: url, maxRetries: 0 }),
  },
};
