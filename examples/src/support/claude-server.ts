// A server on loopback that speaks Anthropic's Messages: it asks for the weather tool, and answers
// when it has the result.
import { createServer } from "node:http";

/** A running server; `baseURL` is what an Anthropic client takes. */
export interface ClaudeServer {
  readonly baseURL: string;
  stop(): Promise<void>;
}

/** Starts the server. */
export async function startClaudeServer(): Promise<ClaudeServer> {
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      const hasResult = Buffer.concat(parts).includes('"tool_result"');
      const content = hasResult
        ? { type: "text", text: "It is sunny in Paris." }
        : { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Paris" } };
      const body = {
        id: hasResult ? "msg_2" : "msg_1",
        type: "message",
        role: "assistant",
        model: "claude-sonnet-5-5",
        content: [content],
        stop_reason: hasResult ? "end_turn" : "tool_use",
        stop_sequence: null,
        usage: { input_tokens: 20, output_tokens: 8 },
      };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    baseURL: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
