// A server that speaks OpenAI's and Anthropic's protocol as a process of its own, so that its CPU is not counted: fixed
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
  "data: [DONE]\n\n",
];

const usage = { input_tokens: 20, output_tokens: 80 };
const message = {
  id: "msg_bench",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-5-5",
  content: [{ type: "text", text: "Paris. ".repeat(40) }],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage,
};
const wholeMessage = JSON.stringify(message);
const messageEvents = [
  { type: "message_start", message: { ...message, content: [], stop_reason: null } },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  ...Array.from({ length: CHUNKS - 5 }, () => ({
    type: "content_block_delta",
    index: 0,
    delta: { type: "text_delta", text: "Paris. " },
  })),
  { type: "content_block_stop", index: 0 },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage },
  { type: "message_stop" },
].map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);

/**
 * One event a write and a turn, as tokens come: a client that gets them all at once spends its time
 * copying them.
 */
function writeStream(response: ServerResponse, all: readonly string[], at = 0): void {
  if (at === all.length) response.end();
  else response.write(all[at], () => setImmediate(() => writeStream(response, all, at + 1)));
}

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const streamed = Buffer.concat(parts).includes('"stream":true');
    response.writeHead(200, {
      "content-type": streamed ? "text/event-stream" : "application/json",
    });
    const isAnthropic = request.url?.endsWith("/messages") === true;
    if (streamed) writeStream(response, isAnthropic ? messageEvents : events);
    else response.end(isAnthropic ? wholeMessage : completion);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) process.send?.(address.port);
});
process.once("disconnect", () => process.exit());
