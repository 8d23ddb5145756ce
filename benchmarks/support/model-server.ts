// An OpenAI-compatible server as a process of its own, so that its CPU is not counted: fixed
// answers, no parsing.
import { createServer, type ServerResponse } from "node:http";

const CHUNKS = 200;
const completion = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini-2024-07-18",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "Paris. ".repeat(40), refusal: null },
      finish_reason: "stop",
    },
  ],
  usage: { prompt_tokens: 20, completion_tokens: 80, total_tokens: 100 },
});
const chunk = (choice: object): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1, model: "gpt-4o-mini-2024-07-18", choices: [choice] })}\n\n`;
const events = [
  ...Array.from({ length: CHUNKS - 1 }, () =>
    chunk({ index: 0, delta: { content: "Paris. " }, finish_reason: null }),
  ),
  chunk({ index: 0, delta: {}, finish_reason: "stop" }),
];

/**
 * One event a write and a turn, as tokens come: a client that gets them all at once spends its time
 * copying them.
 */
function writeStream(response: ServerResponse, at = 0): void {
  if (at === events.length) response.end("data: [DONE]\n\n");
  else response.write(events[at], () => setImmediate(() => writeStream(response, at + 1)));
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const streamed = Buffer.concat(parts).includes('"stream":true');
    response.writeHead(200, {
      "content-type": streamed ? "text/event-stream" : "application/json",
    });
    if (streamed) writeStream(response);
    else response.end(completion);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) process.send?.(address.port);
});
process.once("disconnect", () => process.exit());
