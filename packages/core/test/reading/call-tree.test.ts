import { type AuditEntry, entryToLine, lineToEntry } from "@ai-audit/core/format";
import { describe, expect, it } from "vitest";
import { endingOf } from "../../src/reading/call.ts";
import { titleOf } from "../../src/reading/call-text.ts";
import { buildTree, figuresOf, walk } from "../../src/reading/call-tree.ts";

/** An entry of a run that ended at a second and took some. */
function entryOf(id: string, second: number, run: AuditEntry["run"], latencyMs = 0): AuditEntry {
  const timestamp = new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString();
  const hashes = { inputHash: "0".repeat(64), outputHash: "0".repeat(64) };
  const entry = lineToEntry(entryToLine({ id, timestamp, ...hashes, latencyMs, run: run ?? {} }));
  if (entry === undefined) throw new Error("not an entry");
  return entry;
}

function placesOf(
  entries: readonly AuditEntry[],
  runs: Parameters<typeof buildTree>[1] = [],
): string[] {
  return [...walk(buildTree(entries, runs))].map(
    ({ node, depth }) => `${" ".repeat(depth)}${node.entry?.id ?? node.run?.run ?? ""}`,
  );
}

describe("A tree of calls", () => {
  it("orders calls by their beginning, not by their end", () => {
    const entries = [
      entryOf("inner", 5, { id: "i", parentId: "o" }, 1000),
      entryOf("outer", 6, { id: "o" }, 6000),
      entryOf("first", 5, { id: "f", parentId: "o" }, 4000),
    ];
    expect(placesOf(entries)).toEqual(["outer", " first", " inner"]);
  });

  it("has runs without an entry as nodes", () => {
    const started = { type: "run.started", name: "app", kind: "chain" } as const;
    const at = "2026-01-01T00:00:00.000Z";
    const runs = [
      { ...started, run: "root", parent: null, root: "root", at },
      { ...started, run: "agent", kind: "agent", parent: "root", root: "root", at },
    ];
    expect(placesOf([entryOf("a", 1, { id: "x", parentId: "agent" })], runs)).toEqual([
      "root",
      " agent",
      "  a",
    ]);
  });

  it("leaves out the steps of a framework, also several in a row, and steps in a circle", () => {
    const started = { type: "run.started", name: "app", kind: "chain", root: "root" } as const;
    const at = "2026-01-01T00:00:00.000Z";
    const runs = [
      { ...started, run: "root", parent: null, at },
      { ...started, run: "outer", parent: "root", at },
      { ...started, run: "inner", parent: "outer", at },
      { ...started, run: "c1", parent: "c2", at },
      { ...started, run: "c2", parent: "c1", at },
    ];
    const entries = [
      entryOf("a", 1, { id: "x", parentId: "inner" }),
      entryOf("b", 2, { id: "y", parentId: "c1" }),
    ];
    expect(placesOf(entries, runs)).toEqual(["root", " a", "b"]);
  });

  it("hangs an invocation that a decision began below the one that had asked", () => {
    const entries = [
      entryOf("asks", 1, { id: "r1", rootId: "one", parentId: "one" }),
      {
        ...entryOf("decides", 2, { id: "r2", rootId: "two", parentId: "two" }),
        review: { of: "asks", verdict: "approved" as const },
      },
      entryOf("goes-on", 3, { id: "r3", rootId: "two", parentId: "two" }),
    ];
    const started = { type: "run.started", name: "app", kind: "agent", parent: null } as const;
    const runs = [
      { ...started, run: "one", root: "one", at: "2026-01-01T00:00:00.000Z" },
      { ...started, run: "two", root: "two", at: "2026-01-01T00:00:02.000Z" },
    ];
    expect(placesOf(entries, runs)).toEqual(["one", " asks", "  decides", " two", "  goes-on"]);
  });

  it("leaves out an entry of a call that another entry records", () => {
    const entries = [entryOf("a", 1, { id: "x" }), entryOf("b", 1, { sameCallAs: "a" })];
    expect(placesOf(entries)).toEqual(["a"]);
  });

  it("shows every entry once, also where a forged log has parents in a circle", () => {
    const entries = [
      entryOf("a", 1, { id: "x", parentId: "y" }),
      entryOf("b", 2, { id: "y", parentId: "x" }),
      entryOf("self", 3, { id: "s", parentId: "s" }),
    ];
    expect(placesOf(entries).toSorted()).toEqual([" b", "a", "self"]);
  });

  it("takes a chain of 100,000 parents", () => {
    const entries = Array.from({ length: 100_000 }, (_, n) =>
      entryOf(String(n), n, { id: String(n), parentId: String(n - 1) }),
    );
    expect(placesOf(entries)).toHaveLength(100_000);
  });
});

describe("The figures of a tree", () => {
  it("count a failure once, where it began, and the pause for a person not as a stop", () => {
    const tool = { ...entryOf("tool", 3, { id: "t", parentId: "a" }), outcome: "error" } as const;
    const agent = { ...entryOf("agent", 5, { id: "a", parentId: "s" }), outcome: "error" } as const;
    const other = { ...entryOf("other", 6, { id: "o", parentId: "s" }), outcome: "error" } as const;
    const paused = { ...entryOf("s", 7, { id: "s" }), outcome: "interrupted" } as const;
    const { errors, stopped } = figuresOf(buildTree([tool, agent, other, paused], []));
    expect({ errors, stopped }).toEqual({ errors: 2, stopped: 0 });
  });
});

describe("A decision", () => {
  it("of several actions at once is told for each of them", () => {
    const entry: AuditEntry = {
      ...entryOf("d", 1, { id: "d" }),
      operation: "human_review",
      outcome: "ok",
      actor: { id: "bob", kind: "user" },
      metadata: { decisions: ["approve", "edit", "reject"] },
    };
    const node = { entry, beganAt: 0, children: [] };
    expect(titleOf(node)).toBe("bob decides: approved, approved as changed, rejected");
    expect(endingOf(entry)).toBe("decided");
    expect(endingOf({ ...entry, outcome: "interrupted" })).toBe("asked");
    expect(endingOf({ ...entry, operation: "chat", outcome: "interrupted" })).toBe("paused");
  });
});
