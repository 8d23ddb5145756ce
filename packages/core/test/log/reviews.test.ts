import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  type AuditEntry,
  AuditLogger,
  EncryptionManager,
  MemoryStorage,
  generateKey,
  hashContent,
  withAuditContext,
} from "../../src/index.ts";

const newLogger = (): AuditLogger => new AuditLogger(new MemoryStorage(), { storeContent: true });

async function entryOf(logger: AuditLogger, id: string): Promise<AuditEntry> {
  const entry = await logger.getEntry(id);
  if (!entry) throw new Error(`no entry ${id}`);
  return entry;
}

describe("review()", () => {
  it("records reviewer, time, what was shown, verdict, the change and the reason, joined to the entry", async () => {
    const logger = newLogger();
    const of = await withAuditContext({ conversationId: "c", run: { name: "loan" } }, () =>
      logger.log({ input: "Grant the loan?", output: "Refuse.", model: "gpt-5" }),
    );
    const reviewed = await entryOf(logger, of);
    const id = await logger.review({
      of,
      by: "ada",
      role: "credit officer",
      verdict: "modified",
      shown: { score: 512, advice: "Refuse." },
      before: "Refuse.",
      after: "Grant 500.",
      reason: "new income",
    });
    const entry = await entryOf(logger, id);
    expect(entry).toMatchObject({
      operation: "human_review",
      outcome: "ok",
      conversationId: "c",
      actor: { id: "ada", kind: "user", role: "credit officer" },
      review: {
        of,
        verdict: "modified",
        role: "credit officer",
        inputHash: reviewed.inputHash,
        outputHash: reviewed.outputHash,
      },
      run: { parentId: reviewed.run?.id, rootId: reviewed.run?.rootId },
      alerts: [],
    });
    expect(logger.content(entry)).toEqual({
      input: { before: "Refuse.", shown: { score: 512, advice: "Refuse." } },
      output: { after: "Grant 500.", reason: "new income" },
    });
    expect(Date.parse(entry.timestamp)).toBeGreaterThan(0);
  });

  it("keeps reason and values as content: hashed by default, encrypted with a key", async () => {
    const plain = new AuditLogger(new MemoryStorage());
    const decision = { of: "x", by: "ada", verdict: "rejected", reason: "secret reason" } as const;
    const hashed = await entryOf(plain, await plain.review(decision));
    expect(JSON.stringify(hashed)).not.toContain("secret reason");
    expect(hashed.outputHash).toBe(hashContent('{"reason":"secret reason"}'));
    const encryption = new EncryptionManager(generateKey());
    const keyed = new AuditLogger(new MemoryStorage(), { encryption, storeContent: true });
    const sealed = await entryOf(keyed, await keyed.review(decision));
    expect(JSON.stringify(sealed)).not.toContain("secret reason");
    expect(keyed.content(sealed).output).toEqual({ reason: "secret reason" });
  });

  it("finds what it is about by run and by interrupt, and records an unknown id with an alert", async () => {
    const logger = newLogger();
    await logger.log({
      input: "pay?",
      output: "",
      operation: "human_review",
      outcome: "interrupted",
      metadata: { interrupt_ids: ["i-1"] },
      run: { id: "r-1", rootId: "root" },
    });
    const decide = async (of: string): Promise<AuditEntry> =>
      entryOf(logger, await logger.review({ of, by: "ada", verdict: "approved" }));
    for (const of of ["i-1", "r-1"])
      expect(await decide(of)).toMatchObject({
        run: { rootId: "root", parentId: "r-1" },
        review: { of, inputHash: expect.any(String) },
        alerts: [],
      });
    const root = await decide("root");
    expect(root).toMatchObject({ run: { rootId: "root" }, alerts: [] });
    expect(root.review?.inputHash).toBeUndefined();
    expect(await decide("nobody")).toMatchObject({
      review: { of: "nobody", verdict: "approved" },
      alerts: ["ai-audit: this id was not found in the last 30 days"],
    });
  });

  it.each([
    [
      { of: "", by: "a", verdict: "approved" },
      "of must be the id of the entry, run or interrupt that was decided on",
    ],
    [{ by: "a", verdict: "approved" }, "of, by and verdict are required"],
    [{ of: "x", by: "a", verdict: "okay" }, "verdict must be 'approved', 'modified'"],
    [{ of: "x", by: "", verdict: "approved" }, "actor must be { id, kind"],
    [{ of: "x", by: "a", verdict: "approved", who: 1 }, 'field "who" is unknown'],
  ])("refuses %o", async (decision, message) => {
    await expect(newLogger().review(Object(decision))).rejects.toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it("is durable when it resolves", async () => {
    const path = await mkdtemp(join(tmpdir(), "ai-audit-review-"));
    const logger = new AuditLogger(path);
    const id = await logger.review({ of: "x", by: "ada", verdict: "approved" });
    const other = new AuditLogger(path);
    expect((await other.getEntry(id))?.review).toEqual({ of: "x", verdict: "approved" });
    await Promise.all([logger.close(), other.close()]);
  });
});

describe("reviews()", () => {
  it("tells what wanted a review and had none, and how long the others took", async () => {
    const logger = newLogger();
    const log = (fields: object): Promise<string> =>
      logger.log({ input: "", output: "", ...fields });
    await log({});
    const flagged = await log({ reviewRequired: true });
    const asked = await log({
      operation: "human_review",
      outcome: "interrupted",
      metadata: { interrupt_ids: ["i"] },
      run: { id: "a", rootId: "root" },
    });
    await log({
      operation: "execute_tool",
      outcome: "interrupted",
      run: { id: "t", rootId: "root" },
    });
    const escalated = await log({ reviewRequired: true });
    const forgotten = await log({ operation: "execute_tool", outcome: "interrupted" });
    await logger.review({ of: "i", by: "ada", verdict: "modified" });
    await logger.review({ of: "i", by: "ada", verdict: "rejected" });
    await logger.review({ of: flagged, by: "bo", verdict: "approved" });
    await logger.review({ of: escalated, by: "bo", verdict: "escalated" });
    const cases = await logger.reviews();
    expect(
      cases.map(({ entry, decided, decisions }) => [
        entry.id,
        decided,
        decisions.map(({ review }) => review?.verdict),
      ]),
    ).toEqual([
      [flagged, true, ["approved"]],
      [asked, true, ["modified", "rejected"]],
      [escalated, false, ["escalated"]],
      [forgotten, false, []],
    ]);
    for (const { waitedMs } of cases) expect(waitedMs).toBeGreaterThanOrEqual(0);
    const [first] = cases;
    const took =
      Date.parse(first?.decisions[0]?.timestamp ?? "") - Date.parse(first?.entry.timestamp ?? "");
    expect(first?.waitedMs).toBe(took);
  });

  it("counts requests up to a time, with the decisions after it", async () => {
    const logger = newLogger();
    const of = await logger.log({ input: "", output: "", reviewRequired: true });
    const to = new Date(Date.parse((await entryOf(logger, of)).timestamp));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await logger.review({ of, by: "ada", verdict: "approved" });
    await logger.log({ input: "", output: "", reviewRequired: true });
    expect(await logger.reviews({ to })).toMatchObject([{ entry: { id: of }, decided: true }]);
  });
});
