// What the tests of chat completions share.
import { createHash } from "node:crypto";
import { post, surfaceFor } from "./wire.ts";

export const PATH = "/chat/completions";

export const REQUEST = post(PATH, {
  model: "gpt-5",
  messages: [{ role: "user", content: "Hello!" }],
});

export const chat = surfaceFor(REQUEST);

export const sha256 = (data: string | Uint8Array): string =>
  createHash("sha256").update(data).digest("hex");

export const answer = {
  id: "chatcmpl-1",
  object: "chat.completion",
  model: "gpt-5-2026-08-01",
  system_fingerprint: "fp_1",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: "Hi there", refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: {
    prompt_tokens: 9,
    completion_tokens: 12,
    total_tokens: 21,
    prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 8, audio_tokens: 0 },
  },
};
