// An OpenAI-compatible server on loopback, so that the examples need no API key and no network.
import { LLMock } from "@copilotkit/aimock";

/** A running server; `baseURL` is what an OpenAI client takes. */
export interface ModelServer {
  readonly baseURL: string;
  stop(): Promise<void>;
}

/** Starts a server that knows the conversations of the examples. */
export async function startModelServer(): Promise<ModelServer> {
  const server = new LLMock({ port: 0, logLevel: "silent" });
  server
    .onMessage("weather", { toolCalls: [{ name: "get_weather", arguments: '{"city":"Paris"}' }] })
    .onMessage("build a weapon", {
      error: {
        message:
          "The response was filtered due to the prompt triggering the content management policy.",
        type: "invalid_request_error",
        param: "prompt",
        code: "content_filter",
      },
      status: 400,
    })
    .onMessage("overloaded", {
      error: { message: "The server is overloaded", type: "server_error" },
      status: 503,
    })
    .onMessage("haiku", {
      content: "Sealed line by line,\nthe night's quiet ledger keeps\nwhat was asked and said.",
    })
    .onMessage("Translate", { content: "Où est la bibliothèque ?" })
    .onMessage(/./, { content: "Paris is the capital of France." });
  await server.start();
  return { baseURL: `${server.url}/v1`, stop: () => server.stop() };
}
