import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AuditEntry,
  AuditLogger,
  currentAuditContext,
  EncryptionManager,
  FileKeyStore,
  generateKey,
  MemoryStorage,
  withAuditContext,
} from "../../src/index.ts";
import { CallRecorder } from "../../src/capture/index.ts";
import { readControlLine } from "../../src/format/index.ts";
import type { RunStarted } from "../../src/format/control-line.ts";

function newLog(): { logger: AuditLogger; runs: () => RunStarted[]; lines: string[] } {
  const storage = new MemoryStorage();
  const lines: string[] = [];
  const append = storage.append.bind(storage);
  storage.append = (line, id) => {
    lines.push(line);
    return append(line, id);
  };
  const runs = (): RunStarted[] =>
    lines.flatMap((line) => {
      const control = readControlLine(line);
      return control?.type === "run.started" ? [control] : [];
    });
  return { logger: new AuditLogger(storage), runs, lines };
}

async function entriesOf(logger: AuditLogger): Promise<AuditEntry[]> {
  return Array.fromAsync(logger.entries());
}

describe("withAuditContext({ run })", () => {
  it("makes a tree of an agent loop by hand: every parent is an entry's run or a run.started line", async () => {
    const { logger, runs } = newLog();
    const recorder = new CallRecorder({ logger });
    const ask = async (): Promise<unknown> =>
      (await recorder.begin({ operation: "chat", input: "?" })).end({ outcome: "ok", output: "!" });
    const delegate = async (toolCallId: string): Promise<void> =>
      withAuditContext({ run: { name: "delegate", kind: "tool", toolCallId } }, async () => {
        await withAuditContext({ run: { name: "researcher", kind: "agent" } }, ask);
        const { run } = currentAuditContext();
        await logger.log({ operation: "execute_tool", input: {}, output: "done", run });
      });
    await withAuditContext(
      { run: { name: "supervisor", kind: "agent", threadId: "t" } },
      async () => {
        await ask();
        await Promise.all([delegate("d1"), delegate("d2")]);
      },
    );
    const entries = await entriesOf(logger);
    const begun = new Map(runs().map((run) => [run.run, run]));
    const [root] = runs();
    expect(entries).toHaveLength(5);
    for (const { run } of entries) {
      expect(run?.rootId).toBe(root?.run);
      const known =
        begun.has(run?.parentId ?? "") || entries.some((e) => e.run?.id === run?.parentId);
      expect(known).toBe(true);
    }
    for (const run of begun.values())
      expect(run.parent === null || begun.has(run.parent)).toBe(true);
    expect([...begun.values()].map(({ name, kind }) => `${kind} ${name}`).toSorted()).toEqual([
      "agent researcher",
      "agent researcher",
      "agent supervisor",
      "tool delegate",
      "tool delegate",
    ]);
    const nested = entries.filter(({ run }) => run?.["agentName"] === "researcher");
    expect(nested.map(({ run }) => `${run?.calledBy}`).toSorted()).toEqual(["d1", "d2"]);
    expect(nested[0]?.run).toMatchObject({
      path: ["supervisor", "delegate", "researcher"],
      threadId: "t",
    });
    expect(nested[0]?.run).not.toHaveProperty("toolCallId");
    const tools = entries.filter(({ operation }) => operation === "execute_tool");
    for (const { run } of tools) expect(begun.get(run?.id ?? "")?.parent).toBe(root?.run);
    expect(new Set(entries.map(({ run }) => run?.id)).size).toBe(5);
  });

  it("writes the lines of a run before its first entry, once, and none for the entry of the run itself", async () => {
    const { logger, lines } = newLog();
    await withAuditContext({ run: { name: "job" } }, async () => {
      const { run } = currentAuditContext();
      await logger.log({ input: "1", output: "", run });
      await logger.log({ input: "2", output: "" });
    });
    await withAuditContext({ run: { name: "next" } }, async () => {
      await logger.log({ input: "3", output: "" });
      await logger.log({ input: "4", output: "" });
    });
    const kinds = lines.map((line) => readControlLine(line)?.type ?? "entry");
    expect(kinds).toEqual(["entry", "entry", "run.started", "entry", "entry"]);
  });

  it("goes on with a run of another process by its ids", async () => {
    const { logger, runs } = newLog();
    const before = { id: "run-1", rootId: "root-1" };
    await withAuditContext(
      { run: { name: "resumed", parentId: before.id, rootId: before.rootId } },
      () => logger.log({ input: "", output: "" }),
    );
    expect(runs()).toMatchObject([{ parent: "run-1", root: "root-1", name: "resumed" }]);
    expect((await entriesOf(logger))[0]?.run).toMatchObject({
      rootId: "root-1",
      path: ["resumed"],
    });
  });

  it("names the run again when its line could not be written", async () => {
    const storage = new MemoryStorage();
    const logger = new AuditLogger(storage, { onError: () => undefined });
    const append = storage.append.bind(storage);
    const written: string[] = [];
    let isBroken = true;
    storage.append = async (line, id) => {
      if (isBroken) throw new Error("disk");
      written.push(line);
      return append(line, id);
    };
    await withAuditContext({ run: { name: "job" } }, async () => {
      await expect(logger.log({ input: "", output: "" })).rejects.toThrow("keep the entry");
      isBroken = false;
      await logger.log({ input: "", output: "" });
    });
    expect(written.map((line) => readControlLine(line)?.type)).toEqual(["run.started", undefined]);
  });
});

describe("actor", () => {
  const actor = { id: "ada", kind: "user", role: "clerk", onBehalfOf: "acme" } as const;

  it("comes from the context, and the call's own wins", async () => {
    const { logger } = newLog();
    await withAuditContext({ actor }, async () => {
      await logger.log({ input: "", output: "" });
      await logger.log({ input: "", output: "", actor: { id: "bot", kind: "agent" } });
    });
    expect((await entriesOf(logger)).map((entry) => entry.actor)).toEqual([
      actor,
      { id: "bot", kind: "agent" },
    ]);
  });

  it.each([
    [{ kind: "user" }, "actor must be { id, kind, role?, onBehalfOf? }, all strings"],
    [{ id: "", kind: "user" }, "actor must be { id, kind, role?, onBehalfOf? }, all strings"],
    [{ id: "a", kind: "robot" }, "actor must be of a known kind (user, agent, service)"],
    [{ id: "sk-live-1234567", kind: "user" }, "named by an id, and not by a key or token"],
    [{ id: "a", kind: "user", onBehalfOf: "Bearer abc" }, "and not by a key or token"],
    [{ id: "eyJhbGciOiJIUzI1NiJ9.e30.x", kind: "user" }, "and not by a key or token"],
  ])("is refused in log() and left out of captured calls: %o", async (given, reason) => {
    const { logger } = newLog();
    const interaction = { input: "", output: "", actor: given };
    await expect(logger.log(Object(interaction))).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: expect.stringContaining(reason),
    });
    await logger.callSink.capture(Object(interaction));
    const [entry] = await entriesOf(logger);
    expect(entry?.actor).toBeUndefined();
    expect(entry?.alerts).toEqual([expect.stringContaining(reason)]);
    expect(JSON.stringify(entry)).not.toContain("sk-live");
  });

  it("who is the subject has the subject's key id, and the name is nowhere in the log", async () => {
    const subjects = new FileKeyStore({ path: await mkdtemp(join(tmpdir(), "ai-audit-actor-")) });
    const encryption = new EncryptionManager(generateKey(), { subjects });
    const logger = new AuditLogger(new MemoryStorage(), { encryption });
    const jane = { id: "Jane Doe", kind: "user" } as const;
    const id = await logger.log({ input: "", output: "", subject: "Jane Doe", actor: jane });
    const entry = await logger.getEntry(id);
    expect(entry?.actor).toEqual({ id: entry?.subject, kind: "user" });
    expect(JSON.stringify(entry)).not.toContain("Jane");
  });
});
