import { describe, expect, it } from "vitest";
import { surfaceOf } from "../../src/surface.ts";
import { OPTIONS, post, surfaceFor } from "./wire.ts";

function providerOf(request: ReturnType<typeof post>): unknown {
  return surfaceFor(request).request(request, OPTIONS).provider;
}

describe("the surface of a request", () => {
  it.each([
    ["POST", "/chat/completions", "chat"],
    ["POST", "/completions", "text_completion"],
    ["POST", "/embeddings", "embeddings"],
    ["POST", "/moderations", "moderations"],
    ["POST", "/responses", "responses"],
    ["post", "/responses?beta=true", "responses"],
    ["GET", "/responses/resp_1", "responses.retrieve"],
    ["POST", "/responses/resp_1/cancel", "responses.cancel"],
    ["POST", "/responses/compact", "responses.compact"],
    ["POST", "/images/generations", "image_generation"],
    ["POST", "/images/edits", "image_edit"],
    ["POST", "/images/variations", "image_variation"],
    ["POST", "/audio/speech", "speech"],
    ["POST", "/audio/transcriptions", "transcription"],
    ["POST", "/audio/translations", "translation"],
    ["POST", "/files", "files.create"],
    ["POST", "/batches", "batches.create"],
    ["POST", "/batches/batch_1/cancel", "batches.cancel"],
    ["POST", "/fine_tuning/jobs", "fine_tuning.jobs.create"],
    ["POST", "/assistants", "create_agent"],
    ["POST", "/threads", "threads.create"],
    ["POST", "/threads/runs", "threads.create_and_run"],
    ["POST", "/threads/thread_1/runs", "threads.runs.create"],
    ["GET", "/threads/thread_1/runs/run_1", "threads.runs.retrieve"],
    [
      "POST",
      "/threads/thread_1/runs/run_1/submit_tool_outputs",
      "threads.runs.submit_tool_outputs",
    ],
    ["POST", "/threads/thread_1/messages", "threads.messages.create"],
    ["POST", "/v1/chat/completions", "chat"],
    ["POST", "/openai/v1/responses", "responses"],
    ["POST", "/videos/video_123/remix", "/videos/{id}/remix"],
    ["POST", "/realtime/client_secrets", "/realtime/client_secrets"],
    ["PUT", "/something/new", "/something/new"],
  ])("is found by method and path: %s %s", (method, path, operation) => {
    expect(surfaceFor(post(path, {}, { method })).operation).toBe(operation);
  });

  it.each([
    ["GET", "/models"],
    ["GET", "/files/file_1/content"],
    ["GET", "/chat/completions"],
    ["GET", "/responses/resp_1/input_items"],
  ])("does not exist where nothing is asked of a model: %s %s", (method, path) => {
    expect(surfaceOf(post(path, undefined, { method }))).toBeUndefined();
  });

  it("is Azure's by its client or by its host, and the deployment is the model", () => {
    const path = "/openai/deployments/my%20gpt/chat/completions?api-version=2024-10-21";
    const request = post(path, { model: "ignored", messages: [] }, { provider: "azure.ai.openai" });
    const surface = surfaceFor(request);
    expect(surface.request(request, OPTIONS)).toMatchObject({
      operation: "chat",
      provider: "azure.ai.openai",
      model: "my gpt",
    });
    expect(providerOf(post("/responses"))).toBe("openai");
  });

  it.each([
    ["https://mine.openai.azure.com/openai/v1/responses", "azure.ai.openai"],
    ["https://mine.cognitiveservices.azure.us/openai/v1/responses", "azure.ai.openai"],
    ["http://mine.services.ai.azure.cn:8443/openai/v1/responses", "azure.ai.openai"],
    ["https://bedrock-mantle.eu-central-1.api.aws/openai/v1/responses", "aws.bedrock"],
    ["https://bedrock-runtime.us-west-2.amazonaws.com/openai/v1/responses", "aws.bedrock"],
    ["https://bedrock-mantle.eu-central-1.api.aws.example/v1/responses", null],
    ["https://gateway.example/mine.openai.azure.com/v1/responses", null],
    ["https://mine.openai.azure.com.example/v1/responses", null],
    ["https://api.deepseek.com/chat/completions", "deepseek"],
    ["https://openrouter.ai/api/v1/responses", "openrouter"],
    ["https://api.groq.com/openai/v1/responses", "groq"],
    ["https://generativelanguage.googleapis.com/v1beta/openai/responses", "gcp.gemini"],
    ["https://api.mistral.ai/v1/responses", "mistral_ai"],
    ["https://api.x.ai/v1/responses", "x_ai"],
    ["https://eu.api.openai.com/v1/responses", "openai"],
    ["http://localhost:11434/v1/responses", null],
  ])("goes by the host where the client is that of no provider: %s", (url, provider) => {
    expect(providerOf(post("/responses", {}, { url }))).toBe(provider);
  });

  it("names the host and its port, whoever is behind it", () => {
    const request = post("/responses", {}, { url: "http://localhost:11434/v1/responses?key=x" });
    expect(surfaceFor(request).request(request, OPTIONS)).toMatchObject({
      provider: null,
      server: { address: "localhost", port: 11434 },
    });
  });

  it.each([
    ["/files/file_1", "files.delete"],
    ["/responses/resp_1", "responses.delete"],
    ["/chat/completions/chatcmpl_1", "chat.completions.delete"],
    ["/vector_stores/vs_1/files/file_1", "vector_stores.files.delete"],
    ["/conversations/conv_1", "conversations.delete"],
  ])("of a deletion is named by what is deleted: %s", (path, operation) => {
    const request = post(path, undefined, { method: "DELETE" });
    const surface = surfaceFor(request);
    expect(surface.operation).toBe(operation);
    expect(surface.request(request, OPTIONS).parameters).toMatchObject({ path });
  });

  it.each([
    ["/chat/completions/chatcmpl_1", "chat.retrieve"],
    ["/batches/batch_1", "batches.retrieve"],
    ["/videos/video_1", "videos.retrieve"],
    ["/conversations/conv_1/items", "conversations.items.list"],
  ])("exists for a GET that brings an answer or an outcome: %s", (path, operation) => {
    expect(surfaceFor(post(path, undefined, { method: "GET" })).operation).toBe(operation);
  });

  it.each(["", "/", "chat/completions", "/deployments/%E0%A4%A/chat/completions"])(
    "is found without throwing: %j",
    (path) => {
      expect(surfaceOf(post(path))).toBeDefined();
    },
  );
});
