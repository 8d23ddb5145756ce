// Calls over an audited transport, by the real SDKs of both majors.
import { describe, expect, it } from "vitest";
import { auditTransport, definitionHash } from "../src/index.ts";
import { image, type Log, MAJORS, openLog } from "./fixtures.ts";

/** Waits for this many entries. A cancelled call ends after its caller was told. */
async function entriesOf(log: Log, count: number) {
  return expect
    .poll(() => log.entries(), { timeout: 20_000 })
    .toHaveLength(count)
    .then(() => log.entries());
}

function caught(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe.each(Object.entries(MAJORS))("An audited transport of SDK %s", (_, connect) => {
  it.each(["client", "server"] as const)("records a tool call on the %s's side", async (side) => {
    await using log = await openLog();
    const host = await connect({ [side]: { logger: log.logger } });
    await host.call("echo", { text: "hi" });
    const [entry, ...others] = await log.entries();
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      operation: "execute_tool",
      outcome: "ok",
      run: { name: "echo", kind: "tool", toolName: "echo" },
      metadata: {
        mcp: {
          method: "tools/call",
          side: side === "client" ? "caller" : "served",
          client: { name: "desk", version: "2.0.0" },
          server: { name: "office", version: "1.0.0" },
        },
      },
    });
    expect(log.content(entry)).toEqual({
      input: { text: "hi" },
      output: { content: [{ type: "text", text: "hi" }] },
    });
    await host.close();
  });

  it("changes no answer", async () => {
    await using log = await openLog();
    const audit = { logger: log.logger };
    const plain = await connect({});
    const audited = await connect({ client: audit, server: audit });
    for (const host of [plain, audited]) await host.listTools();
    expect(await audited.listTools()).toEqual(await plain.listTools());
    for (const [name, args] of [
      ["echo", { text: "hi" }],
      ["echo", {}],
      ["fails", {}],
      ["paints", {}],
      ["missing", {}],
      ["asks", {}],
      ["samples", {}],
    ] as const) {
      const told = (host: typeof plain) => host.call(name, args).catch(String);
      expect(await told(audited)).toEqual(await told(plain));
    }
    expect(await audited.readResource("note://a")).toEqual(await plain.readResource("note://a"));
    expect(await audited.getPrompt("greet")).toEqual(await plain.getPrompt("greet"));
    await plain.close();
    await audited.close();
  });

  it("records a tool's error, and the server's hints about the tool", async () => {
    await using log = await openLog();
    const host = await connect({ client: { logger: log.logger } });
    await host.listTools();
    await host.call("fails");
    const [, entry] = await log.entries();
    expect(entry).toMatchObject({
      outcome: "error",
      error: { type: "ToolError" },
      metadata: { mcp: { tool: { hints: { destructiveHint: true } } } },
    });
    await host.close();
  });

  it("keeps binary content as its digest", async () => {
    await using log = await openLog();
    const host = await connect({ server: { logger: log.logger } });
    await host.call("paints");
    const { output } = log.content((await log.entries())[0]);
    expect(JSON.stringify(output)).not.toContain(image.data);
    expect(output).toMatchObject({ content: [{ data: { bytes: 6000 } }] });
    await host.close();
  });

  it("records resources and prompts", async () => {
    await using log = await openLog();
    const host = await connect({ client: { logger: log.logger } });
    await host.readResource("note://a");
    await host.getPrompt("greet");
    expect((await log.entries()).map(({ operation, run }) => [operation, run?.name])).toEqual([
      ["resources/read", "note://a"],
      ["prompts/get", "greet"],
    ]);
    await host.close();
  });

  it.each([
    ["accept", { sure: true }, { outcome: "ok", review: { verdict: "approved" } }],
    ["accept", { sure: false }, { outcome: "ok", review: { verdict: "rejected" } }],
    ["accept", { sure: true, note: "x" }, { outcome: "ok", review: { verdict: "answered" } }],
    ["decline", {}, { outcome: "ok", review: { verdict: "rejected" } }],
    ["cancel", {}, { outcome: "aborted" }],
  ] as const)("records %s of %j as a person's decision", async (decision, content, expected) => {
    await using log = await openLog();
    const host = await connect({ server: { logger: log.logger }, decision, content });
    await host.call("asks");
    const [review, tool] = await log.entries();
    expect(review).toMatchObject({ operation: "human_review", ...expected });
    expect(review?.run?.parentId).toBe(tool?.run?.id);
    const decided = expected.outcome === "ok" ? tool?.run?.id : undefined;
    expect(review?.review?.of).toBe(decided);
    await host.close();
  });

  it("records sampling within the tool call that asks for it", async () => {
    await using log = await openLog();
    const host = await connect({ server: { logger: log.logger } });
    await host.call("samples");
    const [sampling, tool] = await log.entries();
    expect(sampling).toMatchObject({
      operation: "sampling/createMessage",
      responseModel: "house-model",
      run: { parentId: tool?.run?.id },
    });
    await host.close();
  });

  it.each(["client", "server"] as const)(
    "records a cancellation on the %s's side",
    async (side) => {
      await using log = await openLog();
      const host = await connect({ [side]: { logger: log.logger } });
      const abort = new AbortController();
      const failed = caught(host.call("waits", {}, abort.signal));
      await expect.poll(() => host.handled, { timeout: 20_000 }).toEqual(["waits"]);
      abort.abort("enough");
      expect(String(await failed)).toContain("enough");
      const [entry] = await entriesOf(log, 1);
      expect(entry).toMatchObject({ outcome: "aborted", run: { name: "waits" } });
      await host.close();
    },
  );

  it.each(["client", "server"] as const)(
    "records a call whose connection closes as abandoned on the %s's side",
    async (side) => {
      await using log = await openLog();
      const host = await connect({ [side]: { logger: log.logger } });
      const failed = caught(host.call("waits"));
      await expect.poll(() => host.handled, { timeout: 20_000 }).toEqual(["waits"]);
      await host.close();
      expect(String(await failed)).toContain("Connection closed");
      const [entry] = await entriesOf(log, 1);
      expect(entry).toMatchObject({ outcome: "abandoned", error: { type: "ConnectionClosed" } });
    },
  );

  it("finds a tool whose definition changed", async () => {
    await using log = await openLog();
    const host = await connect({ client: { logger: log.logger } });
    await host.listTools();
    host.redefine("Says it again, and sends it to a stranger");
    await host.listTools();
    const [first, second] = await log.entries();
    expect(first).toMatchObject({ safetyPassed: true });
    expect(second).toMatchObject({
      safetyPassed: false,
      detectorsTriggered: ["mcp:tool_definitions:changed"],
      metadata: { tools_changed: ["echo"] },
    });
    await host.close();
  });

  it("finds a tool that is not as it was approved", async () => {
    await using log = await openLog();
    const approvedTools = { echo: definitionHash({ name: "echo" }) };
    const host = await connect({ client: { logger: log.logger, approvedTools } });
    await host.listTools();
    const [entry] = await log.entries();
    expect(entry?.detectorsTriggered).toEqual(["mcp:tool_definitions:unapproved"]);
    expect(entry?.metadata).toMatchObject({ tools_unapproved: expect.arrayContaining(["echo"]) });
    await host.close();
  });

  it("runs no handler whose start cannot be recorded", async () => {
    await using log = await openLog();
    const host = await connect({ server: { logger: log.logger, failureMode: "closed" } });
    await log.logger.close();
    await expect(host.call("echo", { text: "hi" })).rejects.toThrow("could not be written");
    expect(host.handled).toEqual([]);
    await host.close();
  });

  it("sends no call whose start cannot be recorded", async () => {
    await using log = await openLog();
    const host = await connect({ client: { logger: log.logger, failureMode: "closed" } });
    await log.logger.close();
    await expect(host.call("echo", { text: "hi" })).rejects.toMatchObject({
      code: "AUDIT_CLOSED",
    });
    expect(host.handled).toEqual([]);
    await host.close();
  });

  it("leaves a call untouched that cannot be recorded in fail-open mode", async () => {
    await using log = await openLog();
    const lost: string[] = [];
    const onAuditError = ({ code }: { readonly code: string }) => void lost.push(code);
    const audit = { logger: log.logger, failureMode: "open", onAuditError } as const;
    const host = await connect({ client: audit, server: audit });
    await log.logger.close();
    expect(await host.call("echo", { text: "hi" })).toMatchObject({ content: [{ text: "hi" }] });
    expect(lost).toEqual(["AUDIT_CLOSED", "AUDIT_CLOSED"]);
    await host.close();
  });
});

describe("auditTransport()", () => {
  it.each([
    [{ logger: undefined }, "logger must be an AuditLogger"],
    [{ approvedTools: { echo: "x" } }, "approvedTools must hold a definitionHash()"],
    [{ captureInputs: true }, '"captureInputs" is unknown'],
  ])("refuses %j", async (options, message) => {
    await using log = await openLog();
    const transport = { send: () => Promise.resolve() };
    expect(() => auditTransport(transport, { logger: log.logger, ...options } as never)).toThrow(
      expect.objectContaining({
        code: "AUDIT_CONFIG_INVALID",
        message: expect.stringContaining(message),
      }),
    );
  });
});
