// Streams of any bytes: the caller of the audited client sees what the caller of the plain one sees,
// and each call leaves one entry. FUZZ_SEED begins elsewhere, AUDIT_SOAK=1 takes longer.
import { fuzzInputs } from "@ai-audit/test-support/fuzz";
import { Random } from "@ai-audit/test-support/random";
import { times } from "@ai-audit/test-support/soak";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { expectSameBehaviour, loadSdk, type Scenario, useWireServer } from "./same-behaviour.ts";
import type { Reply } from "@ai-audit/test-support/wire-server";

/** A body that comes in pieces; where they end follows from its length. */
function inPieces(body: Buffer): Reply {
  return async (response) => {
    const random = new Random(body.length);
    response.writeHead(200, { "content-type": "text/event-stream", "x-request-id": "req_1" });
    for (let at = 0; at < body.length;) {
      const end = at + 1 + random.below(400);
      response.write(body.subarray(at, end));
      at = end;
      await new Promise((resolve) => setImmediate(resolve));
    }
    response.end();
  };
}

const CALLS: readonly (readonly [corpus: string, scenario: Scenario])[] = [
  [
    "sse-chat",
    async ({ openai, note }) => {
      const stream = await openai({ logLevel: "off" }).chat.completions.create({
        model: "gpt-5",
        messages: [{ role: "user", content: "Hello!" }],
        stream: true,
      });
      for await (const event of stream) note(event);
    },
  ],
  [
    "sse-responses",
    async ({ openai, note }) => {
      const stream = await openai({ logLevel: "off" }).responses.create({
        model: "gpt-5",
        input: "Hello!",
        stream: true,
      });
      for await (const event of stream) note(event);
    },
  ],
];

describe.each(["openai-v5", "openai"])("A stream of any bytes, of %s", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();
  // Some versions of the SDK print each event that they cannot read.
  beforeEach(() => void vi.spyOn(console, "error").mockReturnValue());

  it.each(CALLS)(
    "is the same to the caller, and leaves one entry: %s",
    { timeout: 600_000 },
    async (corpus, scenario) => {
      const found: string[] = [];
      for (const { name, bytes } of fuzzInputs(corpus, import.meta.url, times(20, 1000))) {
        const { entries, outcome } = await expectSameBehaviour(sdk, [inPieces(bytes)], scenario);
        if (entries.length !== 1) found.push(`${name}: ${entries.length} entries`);
        if (outcome.thrown !== undefined && entries[0]?.outcome === "ok")
          found.push(`${name}: ok, and the caller got an error`);
        const counts = [entries[0]?.inputTokens ?? 0, entries[0]?.outputTokens ?? 0];
        if (!counts.every((count) => Number.isFinite(count) && count >= 0))
          found.push(`${name}: ${counts.join(" and ")} tokens`);
      }
      expect(found).toEqual([]);
    },
  );
});
