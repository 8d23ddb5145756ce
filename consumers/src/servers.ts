// The servers that the programs call: a model's, and S3.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Server extends AsyncDisposable {
  readonly url: string;
}

/**
 * Speaks Chat Completions, and OpenAI's Responses and Anthropic's Messages without a stream. The
 * model's name says what it does: `limited…` answers 429, `hangs…` not at all, any other says
 * "Hi there.".
 */
export async function startModelServer(): Promise<Server> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.once("end", () => {
      const asked = JSON.parse(body) as ChatRequest;
      if (request.url?.endsWith("/messages")) answerMessage(asked, response);
      else if (request.url?.endsWith("/responses")) answerResponse(asked, response);
      else answer(asked, response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface ChatRequest {
  readonly model: string;
  readonly stream?: boolean;
}

const WORDS = ["Hi", " there."];

function answerMessage({ model }: ChatRequest, response: ServerResponse): void {
  const content = [{ type: "text", text: WORDS.join("") }];
  const usage = { input_tokens: 3, output_tokens: 2 };
  const message = { id: "msg_1", type: "message", role: "assistant", model, content, usage };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ ...message, stop_reason: "end_turn", stop_sequence: null }));
}

function answerResponse({ model }: ChatRequest, response: ServerResponse): void {
  const content = [{ type: "output_text", text: WORDS.join(""), annotations: [] }];
  const output = [
    { type: "message", id: "msg_1", role: "assistant", status: "completed", content },
  ];
  const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
  const common = { id: "resp_1", object: "response", created_at: 1, status: "completed" };
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify({ ...common, model, output, usage }));
}

function answer({ model, stream }: ChatRequest, response: ServerResponse): void {
  const common = { id: "chatcmpl-1", created: 1, model };
  if (model.startsWith("hangs")) return;
  if (model.startsWith("limited")) {
    response.writeHead(429, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: { message: "slow down", code: "rate_limit" } }));
  } else if (stream) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const [index, content] of WORDS.entries()) {
      const finish_reason = index === WORDS.length - 1 ? "stop" : null;
      const choices = [{ index: 0, delta: { role: "assistant", content }, finish_reason }];
      const chunk = { ...common, object: "chat.completion.chunk", choices };
      response.write(`data: ${JSON.stringify(chunk)}\n\n`);
    }
    response.end("data: [DONE]\n\n");
  } else {
    const message = { role: "assistant", content: WORDS.join(""), refusal: null };
    const choices = [{ index: 0, message, finish_reason: "stop", logprobs: null }];
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ ...common, object: "chat.completion", choices, usage }));
  }
}

/** moto's S3 server, in a process of its own, with an empty bucket. */
export async function startS3Server(bucket: string): Promise<Server> {
  const port = await freePort();
  const child = spawn("moto_server", ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  let failure: Error | undefined;
  child.once("error", (error) => (failure = error));
  child.once("exit", (code) => (failure = new Error(`moto_server ended with ${code}`)));
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; !(await makeBucket(`${url}/${bucket}`)); tries += 1) {
    if (failure || tries > 300)
      throw new Error("no S3 server: bash scripts/install-test-tools.sh", { cause: failure });
    await sleep(200);
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.kill()) await once(child, "exit");
    },
  };
}

/** moto checks no signatures. */
async function makeBucket(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { method: "PUT" })).ok;
  } catch {
    return false; // not listening yet
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
