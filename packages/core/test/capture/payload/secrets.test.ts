import { describe, expect, it } from "vitest";
import {
  censorUrl,
  scrubSecrets,
  withoutToolSecrets,
} from "../../../src/capture/payload/secrets.ts";

describe("a scrubbed message", () => {
  it.each([
    ["Incorrect API key provided: sk-abcdefghijklmnop.", "Incorrect API key provided: [REDACTED]."],
    ["provided: sk-proj-********************abcd. You can", "provided: [REDACTED]. You can"],
    ["provided: sk-pr***********7f3a.", "provided: [REDACTED]."],
    ["provided: abcd********wxyz.", "provided: [REDACTED]."],
    ["session ek_0123456789abcdef is over", "session [REDACTED] is over"],
    ["Authorization: Bearer abc.def-ghi", "Authorization: Bearer [REDACTED]"],
    ['{"authorization":"Basic dXNlcjpwYXNz"}', '{"authorization":"Basic [REDACTED]"}'],
    ["api-key: 0123456789abcdef0123456789abcdef", "api-key: [REDACTED]"],
    ['{"api_key":"hunter22"}', '{"api_key":"[REDACTED]"}'],
    ["OpenAI-Organization: org-abcdefgh1234", "OpenAI-Organization: [REDACTED]"],
    ["in organization org-AbCdEf123456 on", "in organization [REDACTED] on"],
    ["project proj_AbCdEf123456 has", "project [REDACTED] has"],
    ["token eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl expired", "token [REDACTED] expired"],
    ["resource key 0123456789abcdef0123456789abcdef", "resource key [REDACTED]"],
    [
      "connect to https://user:pass@proxy.example:8080",
      "connect to https://[REDACTED]@proxy.example:8080",
    ],
    [
      "GET https://x.example/v1?api-key=abcd&n=1",
      "GET https://x.example/v1?api-key=[REDACTED]&n=1",
    ],
  ])("holds no credential: %s", (message, expected) => {
    expect(scrubSecrets(message)).toBe(expected);
  });

  it.each([
    "429 Rate limit reached for gpt-5 on tokens per min (TPM): Limit 30000, Used 29000.",
    "Invalid value: 'asst-model'. Supported values are: 'disk-cache', 'risk-based'.",
    "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
    "Request timed out.",
  ])("is left alone when it holds none: %s", (message) => {
    expect(scrubSecrets(message)).toBe(message);
  });

  it("is cut beyond 2000 characters", () => {
    expect(scrubSecrets("x ".repeat(5000))).toHaveLength(2001);
  });
});

describe("the URL of a server that takes its key in it", () => {
  it.each([
    [
      "https://mcp.example/sse?token=SECRETTOK&v=1",
      "https://mcp.example/sse?token=[REDACTED]&v=[REDACTED]",
    ],
    ["https://user:pass@mcp.example/sse", "https://mcp.example/sse"],
    ["https://mcp.example/s/a1b2c3d4e5f6a7b8c9d0e1f2/mcp", "https://mcp.example/s/[REDACTED]/mcp"],
    ["https://mcp.example/tools/list", "https://mcp.example/tools/list"],
    ["not a url", "not a url"],
  ])("keeps host and path: %s", (url, expected) => {
    expect(censorUrl(url)).toBe(expected);
    const tools = [{ type: "mcp", server_label: "x", server_url: url, authorization: "tok" }];
    expect(withoutToolSecrets({ tools })).toEqual({
      tools: [
        { type: "mcp", server_label: "x", server_url: expected, authorization: "[REDACTED]" },
      ],
    });
  });

  it("leaves the filter of a search alone, whose key is a name", () => {
    const tools = [{ type: "file_search", filters: { type: "eq", key: "region", value: "eu" } }];
    expect(withoutToolSecrets({ tools })).toEqual({ tools });
  });
});
