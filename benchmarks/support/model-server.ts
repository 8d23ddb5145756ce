// An OpenAI-compatible server as a process of its own, so that its CPU is not counted: fixed answers, no parsing.
import { createServer } from "node:http";

const CHUNKS = 200;
const completion = JSON.stringify({
  id: "chatcmpl-bench",
  object: "chat.completion",
  created: 1,
  model: "gpt-4o-mini-2024-07-18",
  choices: [
    { index: 0, message: { role: "assistant", content: "Paris. ".repeat(40), refusal: null }, finish_reason: "stop" },
  ],
  usage: { prompt_tokens: 20, completion_tokens: 80, total_tokens: 100 },
});
const chunk = (choice: object): string =>
  `data: ${JSON.stringify({ id: "chatcmpl-bench", object: "chat.completion.chunk", created: 1, model: "gpt-4o-mini-2024-07-18", choices: [choice] })}\n\n`;
const stream = [
  ...Array.from({ length: CHUNKS - 1 }, () => chunk({ index: 0, delta: { content: "Paris. " }, finish_reason: null })),
  chunk({ index: 0, delta: {}, finish_reason: "stop" }),
  "data: [DONE]\n\n",
].join("");

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    const streamed = Buffer.concat(parts).includes('"stream":true');
    response.writeHead(200, { "content-type": streamed ? "text/event-stream" : "application/json" });
    response.end(streamed ? stream : completion);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address) process.send?.(address.port);
});
process.once("disconnect", () => process.exit());
