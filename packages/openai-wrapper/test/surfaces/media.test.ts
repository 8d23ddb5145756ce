import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { describeForm } from "@ai-audit/core/capture";
import { collect, OPTIONS, post, surfaceFor } from "./wire.ts";

const sha256 = (data: string | Uint8Array): string =>
  createHash("sha256").update(data).digest("hex");
const picture = Buffer.alloc(5000, 9);
const base64 = picture.toString("base64");
const digest = (mime: string): object => ({ mime, bytes: 5000, sha256: sha256(picture) });
const usage = {
  input_tokens: 10,
  output_tokens: 40,
  total_tokens: 50,
  input_tokens_details: { text_tokens: 10, image_tokens: 0 },
};
const usageFields = {
  inputTokens: 10,
  outputTokens: 40,
  usage: { inputTextTokens: 10, inputImageTokens: 0, source: "reported" },
};

describe("images", () => {
  const request = post("/images/generations", {
    model: "gpt-image-1",
    prompt: "A cat",
    output_format: "webp",
    n: 1,
  });
  const images = surfaceFor(request);

  it("hold the prompt as text and each image as a digest", () => {
    expect(images.request(request, OPTIONS)).toEqual({
      operation: "image_generation",
      provider: "openai",
      server: { address: "api.openai.com" },
      input: "A cat",
      model: "gpt-image-1",
      parameters: { output_format: "webp", n: 1 },
    });
    const body = {
      created: 1,
      data: [{ b64_json: base64, revised_prompt: "A tabby" }],
      size: "1024x1024",
      usage,
    };
    expect(images.response(body, OPTIONS, images.mimeOf(request))).toEqual({
      output: [{ revised_prompt: "A tabby", b64_json: digest("image/webp") }],
      ...usageFields,
      metadata: { served: { size: "1024x1024" } },
    });
  });

  it("keep an address as it is", () => {
    const body = { data: [{ url: "https://images.example/1.png" }] };
    expect(images.response(body, OPTIONS).output).toEqual(body.data);
  });

  it.each([
    ["/images/edits", "image_edit"],
    ["/images/variations", "image_variation"],
  ])("hold what was sent as a digest: %s", async (path, operation) => {
    const form = new FormData();
    form.append("prompt", "A hat");
    form.append("image[]", new File([picture], "a.png", { type: "image/png" }));
    form.append("image[]", new File([picture], "b.png", { type: "image/png" }));
    const edit = post(path, await describeForm(form));
    expect(surfaceFor(edit).request(edit, OPTIONS)).toMatchObject({
      operation,
      input: {
        prompt: "A hat",
        image: [{ name: "a.png", ...digest("image/png") }, { name: "b.png" }],
      },
    });
  });

  it("collect partial images and the final one as they are streamed", () => {
    const common = {
      size: "1024x1024",
      quality: "high",
      background: "opaque",
      output_format: "png",
      created_at: 1,
    };
    const partial = {
      type: "image_generation.partial_image",
      partial_image_index: 0,
      b64_json: base64,
      ...common,
    };
    const collector = collect(request, [partial]);
    expect(collector.terminal).toBe(false);
    expect(collector.firstContentSeen).toBe(true);
    expect(collector.result().output).toEqual([
      { type: partial.type, partial_image_index: 0, b64_json: digest("image/png") },
    ]);
    collector.push({ type: "image_generation.completed", b64_json: base64, ...common, usage });
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toMatchObject({
      output: [{}, { type: "image_generation.completed", b64_json: digest("image/png") }],
      ...usageFields,
      metadata: { served: { size: "1024x1024", quality: "high" } },
    });
  });

  it("take in named events as the oldest SDK hands them out", () => {
    const completed = {
      type: "image_generation.completed",
      b64_json: base64,
      output_format: "png",
      usage,
    };
    const collector = collect(request, [{ event: completed.type, data: completed }]);
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toMatchObject({
      output: [{ type: completed.type, b64_json: digest("image/png") }],
      ...usageFields,
    });
  });
});

describe("speech", () => {
  const request = post("/audio/speech", {
    model: "tts-1",
    input: "Hello!",
    voice: "alloy",
    response_format: "wav",
  });
  const speech = surfaceFor(request);

  it("holds the text, and of the audio type, length and digest", () => {
    expect(speech.request(request, OPTIONS)).toMatchObject({
      operation: "speech",
      input: "Hello!",
      parameters: { voice: "alloy" },
    });
    expect(speech.response(picture, OPTIONS, speech.mimeOf(request))).toEqual({
      output: digest("audio/wav"),
    });
    const { buffer, byteOffset, byteLength } = picture;
    expect(
      speech.response(
        buffer.slice(byteOffset, byteOffset + byteLength),
        OPTIONS,
        speech.mimeOf(request),
      ),
    ).toEqual({
      output: digest("audio/wav"),
    });
  });

  it("never reads a response that its caller has not read", () => {
    const response = new Response("bytes");
    expect(speech.response(response, OPTIONS, speech.mimeOf(request))).toEqual({ output: "" });
    expect(response.bodyUsed).toBe(false);
  });

  it("names the instructions beside the text", () => {
    const body = { input: "Hello!", instructions: "Whisper." };
    expect(speech.request(post("/audio/speech", body), OPTIONS).input).toEqual(body);
  });

  it("digests streamed audio over the decoded bytes", () => {
    const pieces = [picture.subarray(0, 1000), picture.subarray(1000)];
    const collector = collect(request, [
      ...pieces.map((piece) => ({ type: "speech.audio.delta", audio: piece.toString("base64") })),
      { type: "speech.audio.done", usage: { input_tokens: 3, output_tokens: 4, total_tokens: 7 } },
    ]);
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toEqual({
      output: digest("audio/wav"),
      inputTokens: 3,
      outputTokens: 4,
      usage: { source: "reported" },
    });
  });
});

describe("transcriptions and translations", () => {
  const body = {
    model: "whisper-1",
    file: { name: "a.mp3", mime: "audio/mpeg", bytes: 5, sha256: "ab" },
    prompt: "Ada",
  };
  const request = post("/audio/transcriptions", body);
  const transcription = surfaceFor(request);

  it("hold the file's digest and the prompt", () => {
    expect(transcription.request(request, OPTIONS)).toMatchObject({
      operation: "transcription",
      input: { file: body.file, prompt: "Ada" },
      model: "whisper-1",
    });
    expect(surfaceFor(post("/audio/translations", body)).operation).toBe("translation");
  });

  it("never read a form's files themselves: its outline has name, type and size", () => {
    const form = new FormData();
    form.append("file", new File([picture], "a.mp3", { type: "audio/mpeg" }));
    form.append("model", "whisper-1");
    expect(transcription.request(post("/audio/transcriptions", form), OPTIONS)).toMatchObject({
      input: { file: { name: "a.mp3", mime: "audio/mpeg", bytes: 5000 } },
      model: "whisper-1",
    });
  });

  it.each([
    ["text", "Hello!", "Hello!"],
    ["json", { text: "Hello!", usage: { type: "duration", seconds: 3 } }, "Hello!"],
    [
      "verbose_json",
      { text: "Hello!", language: "en", duration: 1.5, segments: [{ id: 0 }] },
      { text: "Hello!", language: "en", duration: 1.5, segments: [{ id: 0 }] },
    ],
  ])("hold what came back: %s", (_, answer, output) => {
    expect(transcription.response(answer, OPTIONS).output).toEqual(output);
  });

  it("hold usage by duration as it is reported", () => {
    const fields = transcription.response(
      { text: "a", usage: { type: "duration", seconds: 3 } },
      OPTIONS,
    );
    expect(fields.usage).toEqual({ seconds: 3, source: "reported" });
    expect(fields).not.toHaveProperty("inputTokens");
  });

  it("collect deltas; the last event carries the whole text", () => {
    const collector = collect(request, [
      { type: "transcript.text.delta", delta: "Hel", logprobs: [{ token: "Hel", logprob: -1 }] },
      { type: "transcript.text.delta", delta: "lo" },
    ]);
    expect(collector.terminal).toBe(false);
    expect(collector.result().output).toBe("Hello");
    collector.push({
      type: "transcript.text.done",
      text: "Hello!",
      usage: { type: "tokens", input_tokens: 5 },
    });
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toMatchObject({ output: "Hello!", inputTokens: 5 });
  });

  it("collect segments with their speakers", () => {
    const segment = { id: "s1", speaker: "A", start: 0, end: 1, text: "Hello" };
    const collector = collect(request, [
      { type: "transcript.text.segment", ...segment },
      { type: "transcript.text.done", text: "Hello" },
    ]);
    expect(collector.result().output).toEqual({ text: "Hello", segments: [segment] });
  });
});
