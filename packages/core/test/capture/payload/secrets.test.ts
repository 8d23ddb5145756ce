import { describe, expect, it } from "vitest";
import { scrubSecrets } from "../../../src/capture/payload/secrets.ts";

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
