// Approvals of MCP tool calls: https://platform.openai.com/docs/guides/tools-connectors-mcp
import { describe, expect, it } from "vitest";
import { withAuditContext } from "@ai-audit/core";
import { json } from "@ai-audit/test-support/wire-server";
import { lifecycleBench } from "./bench.ts";

const body = { object: "response", model: "gpt-5", status: "completed" };
const request = {
  id: "mcpr_1",
  type: "mcp_approval_request",
  name: "pay",
  arguments: '{"amount":950}',
  server_label: "bank",
};
const asks = json({ ...body, id: "resp_1", output: [request] });
const answers = json({ ...body, id: "resp_2", output: [] });

describe("an approval of an MCP tool call", () => {
  it.each([
    [true, undefined, "approved", ""],
    [false, "too much", "rejected", { reason: "too much" }],
  ])(
    "approve: %s is a decision, joined to the response that asked",
    async (approve, reason, verdict, output) => {
      const bench = await lifecycleBench([asks, answers]);
      await bench.client.responses.create({ model: "gpt-5", input: "Pay." });
      const decision = {
        type: "mcp_approval_response",
        approval_request_id: "mcpr_1",
        approve,
        ...(reason !== undefined && { reason }),
      } as const;
      await withAuditContext({ actor: { id: "bob", kind: "user" } }, () =>
        bench.client.responses.create({
          model: "gpt-5",
          previous_response_id: "resp_1",
          input: [decision],
        }),
      );
      const [asked, decided, answered] = await bench.entries();
      expect(asked).toMatchObject({
        operation: "responses",
        outcome: "ok",
        reviewRequired: true,
        metadata: { interrupt_ids: ["mcpr_1"], actions: ["pay"] },
      });
      expect(decided).toMatchObject({
        operation: "human_review",
        actor: { id: "bob" },
        review: { of: "mcpr_1", verdict },
      });
      expect(decided && bench.logger.content(decided)).toEqual({
        input: { before: { name: "pay", args: '{"amount":950}', server: "bank" } },
        output,
      });
      expect(answered).toMatchObject({ operation: "responses", outcome: "ok" });
      expect(await bench.logger.reviews()).toMatchObject([
        { entry: { id: asked?.id }, decided: true },
      ]);
    },
  );

  it("is recorded once, where the history is sent again, and before anything is sent", async () => {
    const bench = await lifecycleBench([answers, answers]);
    const decision = {
      type: "mcp_approval_response",
      approval_request_id: "mcpr_1",
      approve: true,
    } as const;
    const input = [{ ...request, type: "mcp_approval_request" as const }, decision];
    bench.storage.fault = "fail";
    await expect(bench.client.responses.create({ model: "gpt-5", input })).rejects.toThrow(
      "the storage could not keep the entry",
    );
    expect(bench.server.seen).toHaveLength(0);
    bench.storage.repair();
    for (const _ of [1, 2]) await bench.client.responses.create({ model: "gpt-5", input });
    const reviews = (await bench.entries()).filter(({ operation }) => operation === "human_review");
    expect(reviews).toMatchObject([{ review: { of: "mcpr_1", verdict: "approved" } }]);
  });
});
