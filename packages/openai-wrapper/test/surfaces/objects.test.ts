import { describe, expect, it } from "vitest";
import { collect, OPTIONS, post, surfaceFor } from "./wire.ts";

describe("objects", () => {
  it("hold what was sent and what came back", () => {
    const request = post("/batches", {
      input_file_id: "file_1",
      endpoint: "/v1/responses",
      completion_window: "24h",
    });
    const batches = surfaceFor(request);
    expect(batches.request(request, OPTIONS)).toMatchObject({
      input: request.body,
      parameters: { path: "/batches", endpoint: "/v1/responses" },
    });
    expect(batches.response({ id: "batch_1", status: "validating" }, OPTIONS)).toEqual({
      output: { id: "batch_1", status: "validating" },
      responseId: "batch_1",
      finishReasons: ["validating"],
    });
  });

  it("hold no credentials, whatever path they come by", () => {
    const request = post("/realtime/client_secrets", {
      session: { type: "realtime", tools: [{ headers: { a: "t-1" } }] },
    });
    const surface = surfaceFor(request);
    const sent = surface.request(request, OPTIONS);
    const received = surface.response(
      { value: "ek_12345", client_secret: { value: "abc", expires_at: 5 } },
      OPTIONS,
    );
    expect(JSON.stringify([sent, received])).not.toMatch(/t-1|ek_1|abc/);
    expect(received.output).toEqual({
      value: "[REDACTED]",
      client_secret: { value: "[REDACTED]", expires_at: 5 },
    });
  });

  it.each(["/organization/admin_api_keys", "/vaults/vlt_1/credentials", "/webhook_endpoints"])(
    "hold nothing but that it happened where credentials are administered: %s",
    (path) => {
      const request = post(path, { name: "secret-1" });
      const surface = surfaceFor(request);
      expect(surface.request(request, OPTIONS)).toMatchObject({
        input: { omitted: "credentials" },
        parameters: { path },
      });
      expect(surface.response({ value: "sk-admin-1" }, OPTIONS)).toEqual({
        output: { omitted: "credentials" },
      });
    },
  );

  it("keep the events of a stream that nobody expected", () => {
    const collector = collect(post("/something/new"), [
      { a: 1 },
      "b",
      { error: { code: "x_policy", message: "No" } },
    ]);
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toMatchObject({
      output: [{ a: 1 }, "b", {}],
      outcome: "error",
      detectorsTriggered: ["openai:suspected:x_policy"],
    });
  });
});
