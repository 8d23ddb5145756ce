// Calls that ask a model: rows of the table of surfaces, by operation.
import { createHash } from "node:crypto";
import type { JsonValue } from "@ai-audit/core";
import { completion, response, toolCall } from "../../equivalence/payloads.ts";
import { text } from "@ai-audit/test-support/wire-server";
import { bytes, type Case, described, digest, png, usage, user } from "./samples.ts";

const mp3 = new File([bytes], "a.mp3", { type: "audio/mpeg" });
const tools = [
  { type: "function" as const, function: { name: "weather", parameters: { type: "object" } } },
];
const [assistant] = toolCall("weather", "{}")["choices"] as [
  { readonly message: Readonly<Record<string, JsonValue>> },
];
const items = [
  ...(response("Hi.")["output"] as JsonValue[]),
  { type: "reasoning", id: "rs_1", summary: [] },
];

export const ASKING: Record<string, readonly Case[]> = {
  chat: [
    {
      how: "with one user message",
      answer: completion("Hi.", {
        system_fingerprint: "fp_1",
        usage: {
          ...usage,
          prompt_tokens_details: { cached_tokens: 5, audio_tokens: 1 },
          completion_tokens_details: { reasoning_tokens: 2 },
        },
      }),
      call: (client) =>
        client.chat.completions.create({
          model: "gpt-5",
          messages: [user],
          temperature: 0.5,
          user: "somebody",
          metadata: { whose: "somebody's" },
        }),
      input: "Hello!",
      output: "Hi.",
      entry: {
        provider: null,
        server: { address: "127.0.0.1" },
        model: "gpt-5",
        responseModel: "gpt-5-2025",
        responseId: "chatcmpl-1",
        requestId: "req_1",
        inputTokens: 7,
        outputTokens: 3,
        usage: {
          cachedInputTokens: 5,
          reasoningOutputTokens: 2,
          inputAudioTokens: 1,
          source: "reported",
        },
        finishReasons: ["stop"],
        parameters: { temperature: 0.5 },
        metadata: { served: { system_fingerprint: "fp_1" } },
        outcome: "ok",
        attempts: 1,
      },
    },
    {
      how: "with tools, that calls one",
      answer: toolCall("weather", "{}"),
      call: (client) => client.chat.completions.create({ model: "gpt-5", messages: [user], tools }),
      input: { messages: [user], tools },
      output: assistant.message,
      entry: { finishReasons: ["tool_calls"], parameters: { tools: ["weather"] } },
    },
    {
      how: "with n > 1",
      answer: completion(null, {
        choices: ["One", "Two"].map((content, index) => ({
          index,
          finish_reason: "stop",
          message: { role: "assistant", content },
        })),
      }),
      call: (client) =>
        client.chat.completions.create({
          model: "gpt-5",
          n: 2,
          messages: [{ role: "system", content: "Be." }, user],
        }),
      input: [{ role: "system", content: "Be." }, user],
      output: [
        { role: "assistant", content: "One" },
        { role: "assistant", content: "Two" },
      ],
      entry: {
        inputTokens: 3,
        outputTokens: 2,
        finishReasons: ["stop", "stop"],
        parameters: { n: 2 },
      },
    },
  ],
  responses: [
    {
      how: "with a text",
      answer: response("Hi.", { service_tier: "flex" }),
      call: (client) =>
        client.responses.create({ model: "gpt-5", input: "Hello!", safety_identifier: "somebody" }),
      input: "Hello!",
      output: "Hi.",
      entry: {
        responseId: "resp_1",
        responseModel: "gpt-5-2025",
        inputTokens: 3,
        usage: { cachedInputTokens: 1, reasoningOutputTokens: 0, source: "reported" },
        finishReasons: ["completed"],
        metadata: { served: { service_tier: "flex" } },
      },
    },
    {
      how: "with instructions, that reasons",
      answer: response("", { output: items }),
      call: (client) =>
        client.responses.create({ model: "gpt-5", input: "Hello!", instructions: "Be brief." }),
      input: { input: "Hello!", instructions: "Be brief." },
      output: items,
    },
  ],
  "responses.retrieve": [
    {
      how: "by id",
      answer: response("Hi."),
      call: (client) => client.responses.retrieve("resp_1"),
      input: { response_id: "resp_1" },
      output: "Hi.",
    },
  ],
  "responses.cancel": [
    {
      how: "by id",
      answer: response("", { status: "cancelled", output: [], usage: null }),
      call: (client) => client.responses.cancel("resp_1"),
      input: { response_id: "resp_1" },
      output: "",
      entry: { outcome: "aborted", finishReasons: ["cancelled"], inputTokens: null },
    },
  ],
  "responses.compact": [
    {
      how: "of one message",
      answer: {
        id: "cmp_1",
        object: "response.compaction",
        output: items,
        usage: { input_tokens: 9, output_tokens: 1 },
      },
      call: (client) => client.responses.compact({ model: "gpt-5", input: [user] }),
      input: "Hello!",
      output: items,
      entry: { inputTokens: 9 },
    },
  ],
  text_completion: [
    {
      how: "with a prompt",
      answer: {
        id: "cmpl_1",
        model: "m",
        choices: [{ index: 0, text: " time", finish_reason: "length" }],
        usage,
      },
      call: (client) => client.completions.create({ model: "m", prompt: "Once upon a" }),
      input: "Once upon a",
      output: " time",
      entry: { finishReasons: ["length"], inputTokens: 7 },
    },
    {
      how: "with a suffix and two answers",
      answer: {
        id: "cmpl_2",
        model: "m",
        choices: [
          { index: 0, text: "a" },
          { index: 1, text: "b" },
        ],
      },
      call: (client) =>
        client.completions.create({ model: "m", prompt: "Once", suffix: "end", n: 2 }),
      input: { prompt: "Once", suffix: "end" },
      output: ["a", "b"],
    },
  ],
  embeddings: [
    {
      how: "as floats",
      answer: {
        model: "e-1",
        data: [{ index: 0, embedding: [0.5, 1] }],
        usage: { prompt_tokens: 2, total_tokens: 2 },
      },
      call: (client) =>
        client.embeddings.create({ model: "e", input: ["Hi"], encoding_format: "float" }),
      input: ["Hi"],
      output: {
        count: 1,
        dimensions: 2,
        sha256: createHash("sha256")
          .update(new Uint8Array(Float32Array.of(0.5, 1).buffer))
          .digest("hex"),
      },
      entry: { model: "e", responseModel: "e-1", inputTokens: 2, outputTokens: null },
    },
  ],
  moderations: [
    {
      how: "that flags",
      answer: {
        id: "modr_1",
        model: "omni",
        results: [{ flagged: true, categories: { hate: true } }],
      },
      call: (client) => client.moderations.create({ input: "Hello!" }),
      input: "Hello!",
      output: [{ flagged: true, categories: { hate: true } }],
      entry: { outcome: "ok", safetyPassed: false, safetyChecks: ["openai:moderation"] },
    },
  ],
  image_generation: [
    {
      how: "with a prompt",
      answer: {
        created: 1,
        size: "1024x1024",
        data: [
          { b64_json: bytes.toString("base64"), revised_prompt: "A red hat" },
          { url: "https://x.test/a.png" },
        ],
        usage: { input_tokens: 4, output_tokens: 5, total_tokens: 9 },
      },
      call: (client) => client.images.generate({ model: "gpt-image-1", prompt: "A hat" }),
      input: "A hat",
      output: [
        { b64_json: { mime: "image/png", ...digest }, revised_prompt: "A red hat" },
        { url: "https://x.test/a.png" },
      ],
      entry: { inputTokens: 4, outputTokens: 5, metadata: { served: { size: "1024x1024" } } },
    },
  ],
  image_edit: [
    {
      how: "with a mask",
      answer: { created: 1, data: [{ url: "https://x.test/a.png" }] },
      call: (client) =>
        client.images.edit({ model: "gpt-image-1", prompt: "A hat", image: png, mask: png }),
      input: { prompt: "A hat", image: described, mask: described },
      output: [{ url: "https://x.test/a.png" }],
    },
  ],
  image_variation: [
    {
      how: "of a file",
      answer: { created: 1, data: [{ url: "https://x.test/a.png" }] },
      call: (client) => client.images.createVariation({ image: png }),
      input: { image: described },
      output: [{ url: "https://x.test/a.png" }],
    },
  ],
  speech: [
    {
      how: "with instructions, read",
      answer: text(bytes, "audio/mpeg"),
      call: async (client) =>
        (
          await client.audio.speech.create({
            model: "tts-1",
            voice: "alloy",
            input: "Hi",
            instructions: "Softly",
          })
        ).arrayBuffer(),
      input: { input: "Hi", instructions: "Softly" },
      output: { mime: "audio/mpeg", ...digest },
      entry: { parameters: { voice: "alloy" } },
    },
  ],
  transcription: [
    {
      how: "as a text",
      answer: { text: "Hi." },
      call: (client) =>
        client.audio.transcriptions.create({ model: "whisper-1", file: mp3, prompt: "Names: Ada" }),
      input: { file: { name: "a.mp3", mime: "audio/mpeg", ...digest }, prompt: "Names: Ada" },
      output: "Hi.",
    },
    {
      how: "with its language",
      answer: { text: "Hi.", language: "english", duration: 2 },
      call: (client) =>
        client.audio.transcriptions.create({
          model: "whisper-1",
          file: mp3,
          response_format: "verbose_json",
        }),
      input: { file: { name: "a.mp3", mime: "audio/mpeg", ...digest } },
      output: { text: "Hi.", language: "english", duration: 2 },
      entry: { parameters: { response_format: "verbose_json" } },
    },
  ],
  translation: [
    {
      how: "as a text",
      answer: { text: "Hi." },
      call: (client) => client.audio.translations.create({ model: "whisper-1", file: mp3 }),
      input: { file: { name: "a.mp3", mime: "audio/mpeg", ...digest } },
      output: "Hi.",
    },
  ],
};
