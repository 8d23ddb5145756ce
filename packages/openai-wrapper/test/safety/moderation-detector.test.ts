import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { runDetectors } from "@ai-audit/core/capture";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openAIModerationDetector } from "../../src/safety/moderation-detector.ts";

let server: Server;
let client: OpenAI;
let answer: unknown;
const requests: unknown[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      requests.push(JSON.parse(body));
      response.writeHead(answer === undefined ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? { error: { message: "no" } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  client = new OpenAI({ apiKey: "test", baseURL: `http://127.0.0.1:${port}/v1`, maxRetries: 0 });
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  requests.length = 0;
  answer = {
    id: "modr-1",
    model: "omni-moderation-latest",
    results: [
      {
        flagged: true,
        categories: { hate: true, violence: false },
        category_scores: { hate: 0.9, violence: 0.4 },
      },
    ],
  };
});

describe("the moderation detector", () => {
  it("sends all texts of the content and objects by category", async () => {
    const detector = openAIModerationDetector(client);
    const { fields, blocked } = await runDetectors([detector], "input", [
      { role: "user", content: "I hate you" },
    ]);
    expect(requests).toEqual([{ model: "omni-moderation-latest", input: "user\nI hate you" }]);
    expect(fields).toMatchObject({
      safetyChecks: ["openai:moderation"],
      detectorsTriggered: ["openai:moderation", "openai:moderation:hate"],
      blockReason: "openai:moderation: hate",
    });
    expect(blocked).toMatchObject({ code: "AUDIT_CONTENT_BLOCKED" });
  });

  it("goes by its own thresholds where there are some", async () => {
    const detector = openAIModerationDetector(client, {
      action: "flag",
      thresholds: { hate: 0.95, violence: 0.3 },
    });
    expect(await detector.checkOutput?.("x", {})).toEqual({
      action: "flag",
      reason: "openai:moderation: violence",
      categories: ["violence"],
    });
  });

  it("has no objection when nothing is flagged, and asks nobody when there is no text", async () => {
    answer = { results: [{ flagged: false, categories: { hate: false }, category_scores: {} }] };
    const detector = openAIModerationDetector(client);
    expect(await detector.checkInput?.("Hi", {})).toBeUndefined();
    expect(await detector.checkInput?.({ n: 1 }, {})).toBeUndefined();
    expect(requests).toHaveLength(1);
  });

  it("counts as not run when the endpoint does not answer as it should", async () => {
    const detector = openAIModerationDetector(client);
    answer = { results: [] };
    expect((await runDetectors([detector], "input", "Hi")).fields).toEqual({
      alerts: ["ai-audit: detector openai:moderation failed on the input (TypeError)"],
    });
    answer = undefined;
    expect((await runDetectors([detector], "input", "Hi")).fields).not.toHaveProperty(
      "safetyChecks",
    );
  });

  it("does not check its own calls, when its client runs the same detectors", async () => {
    const detectors = [
      openAIModerationDetector({ moderations: { create: (body) => moderate(body) } }),
    ];
    const moderate = async (body: { model: string; input: string }): Promise<unknown> => {
      await runDetectors(detectors, "input", body.input);
      return client.moderations.create(body);
    };
    await runDetectors(detectors, "input", "Hi");
    expect(requests).toHaveLength(1);
  });

  it("needs a client", () => {
    expect(() => openAIModerationDetector({} as OpenAI)).toThrow(
      expect.objectContaining({
        code: "AUDIT_CONFIG_INVALID",
        message: "openAIModerationDetector takes an OpenAI client",
      }),
    );
  });
});
