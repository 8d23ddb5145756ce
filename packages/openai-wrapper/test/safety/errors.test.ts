import OpenAI, {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from "openai";
import type { CapturedFields } from "@ai-audit/core/capture";
import { describe, expect, it } from "vitest";
import { errorFields as fieldsOfError, errorTypesOf } from "@ai-audit/core/sdk";
import { openai } from "../../src/host.ts";

const typeOf = errorTypesOf(new OpenAI({ apiKey: "sk-test" }), openai);

function errorFields(error: unknown): CapturedFields {
  return fieldsOfError(error, { typeOf });
}

const headers = new Headers({ "x-request-id": "req_1" });

function errorOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

describe("the fields of an error", () => {
  it("are its class, code, status, request id and scrubbed message", () => {
    const body = {
      error: { message: "Incorrect API key provided: sk-proj-****abcd.", code: "invalid_api_key" },
    };
    expect(errorFields(APIError.generate(401, body, undefined, headers))).toEqual({
      outcome: "error",
      requestId: "req_1",
      error: {
        type: "AuthenticationError",
        code: "invalid_api_key",
        status: 401,
        message: "401 Incorrect API key provided: [REDACTED].",
      },
    });
  });

  it("say blocked where a filter stopped the prompt", () => {
    const body = {
      error: {
        message: "filtered",
        code: "content_filter",
        innererror: { content_filter_result: { violence: { filtered: true, severity: "high" } } },
      },
    };
    expect(errorFields(APIError.generate(400, body, undefined, headers))).toMatchObject({
      outcome: "blocked",
      safetyPassed: false,
      blockReason: "content_filter, violence",
      error: { type: "BadRequestError", status: 400 },
      metadata: {
        blocked_at: "input",
        safety: { content_filter_result: { violence: { severity: "high" } } },
      },
    });
  });

  it.each([
    [new APIUserAbortError(), "aborted", "APIUserAbortError"],
    [new DOMException("aborted", "AbortError"), "aborted", "AbortError"],
    [new APIConnectionTimeoutError(), "timeout", "APIConnectionTimeoutError"],
    [new DOMException("late", "TimeoutError"), "timeout", "TimeoutError"],
    [new TypeError("x"), "error", "TypeError"],
    ["a string", "error", "string"],
    [undefined, "error", "undefined"],
  ])("say what kind of end it was: %s", (error, outcome, type) => {
    expect(errorFields(error)).toMatchObject({ outcome, error: { type } });
  });

  it("name the connection's own code, however deep its cause", () => {
    const reset = Object.assign(new Error("read"), { code: "ECONNRESET" });
    const cause = new TypeError("fetch failed", { cause: reset });
    expect(
      errorFields(new APIConnectionError({ message: "Connection error.", cause })),
    ).toMatchObject({
      outcome: "error",
      error: { type: "APIConnectionError", code: "ECONNRESET", message: "Connection error." },
    });
  });

  it("name no number of the platform's own for an abort or a time limit", () => {
    for (const reason of [
      new DOMException("aborted", "AbortError"),
      new DOMException("late", "TimeoutError"),
    ]) {
      for (const error of [reason, Object.assign(new APIUserAbortError(), { cause: reason })]) {
        expect(errorFields(error).error).toHaveProperty("type");
        expect(errorFields(error).error).not.toHaveProperty("code");
      }
    }
  });

  it("do not quote what is not JSON: the engine's message does", () => {
    const thrown = errorOf(() => JSON.parse("Dear Ms. Smith, your test") as unknown);
    expect(String(thrown)).toContain("Dear Ms.");
    expect(errorFields(thrown)).toEqual({
      outcome: "error",
      error: { type: "SyntaxError", message: "the response is not JSON" },
    });
  });

  it("say that an error could not be read", () => {
    const odd = new Proxy(new Error("x"), {
      get: () => {
        throw new RangeError("trap");
      },
    });
    expect(errorFields(odd)).toEqual({
      outcome: "error",
      alerts: ["ai-audit: the error could not be read (RangeError)"],
    });
  });
});
