import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { PendingLine } from "../../src/storage/commit.ts";
import { WriteLane } from "../../src/storage/lane.ts";
import { UncertainWrite, UntriedWrite } from "../../src/storage/write-failure.ts";
import { testEntry } from "../../src/testing.ts";
import { rejected } from "@ai-audit/test-support/caught";

interface Commits {
  readonly lane: WriteLane;
  /** Lines of each commit. */
  readonly done: string[][];
  /** Lines of each commit, failed ones too. */
  readonly tried: string[][];
  /** The next commits fail with these, in this order; undefined lets one pass. */
  readonly failures: (Error | undefined)[];
}

/** A lane whose commits take a moment, and at most `most` lines. */
function laneOf(most = Infinity): Commits {
  const done: string[][] = [];
  const tried: string[][] = [];
  const failures: (Error | undefined)[] = [];
  const lane = new WriteLane({
    take: (waiting: readonly PendingLine[]) => Math.min(most, waiting.length),
    commit: async (lines) => {
      await sleep(1);
      tried.push(lines.map(({ line }) => line));
      const failure = failures.shift();
      if (failure) throw failure;
      done.push(lines.map(({ line }) => line));
    },
  });
  return { lane, done, tried, failures };
}

function append(lane: WriteLane): Promise<void> {
  const { line, id } = testEntry(Date.now());
  return lane.append(line, id);
}

describe("The write lane", () => {
  it("lets lines of one turn of the event loop share a commit, and those that come meanwhile the next", async () => {
    const { lane, done } = laneOf();
    const first = ["a", "b"].map((line) => lane.append(line, undefined));
    await Promise.resolve();
    first.push(lane.append("c", undefined));
    await new Promise<void>((resolve) => setImmediate(resolve));
    const second = ["d", "e"].map((line) => lane.append(line, undefined));
    expect(lane.status()).toMatchObject({ pending: 5, pendingBytes: 5 });
    await Promise.all([...first, ...second]);
    expect(done).toEqual([
      ["a", "b", "c"],
      ["d", "e"],
    ]);
    expect(lane.status()).toEqual({ pending: 0, pendingBytes: 0, lost: 0, lastError: undefined });
  });

  it("keeps the order of the calls, whatever a commit takes", async () => {
    const { lane, done } = laneOf(2);
    await Promise.all(["a", "b", "c", "d", "e"].map((line) => lane.append(line, undefined)));
    expect(done).toEqual([["a", "b"], ["c", "d"], ["e"]]);
  });

  it("counts bytes as UTF-8", async () => {
    const { lane } = laneOf();
    const written = lane.append("€", undefined);
    expect(lane.status().pendingBytes).toBe(3);
    await written;
  });

  it("rejects every line of a failed commit with one AuditWriteError, and the next commit tells of the loss", async () => {
    const { lane, done, failures } = laneOf();
    const cause = Object.assign(new Error("no space left"), { code: "ENOSPC" });
    failures.push(cause);
    const results = await Promise.allSettled([
      append(lane),
      append(lane),
      lane.append("control", undefined),
    ]);
    const reasons = results.map((result) =>
      result.status === "rejected" ? (result.reason as unknown) : undefined,
    );
    expect(reasons[0]).toMatchObject({
      name: "AuditWriteError",
      code: "AUDIT_WRITE_FAILED",
      message: "not written: no space left",
      cause,
    });
    expect(new Set(reasons).size).toBe(1);
    expect(lane.status()).toMatchObject({ pending: 0, lost: 2, lastError: reasons[0] });
    await lane.append("next", undefined);
    expect(done).toHaveLength(1);
    expect(done[0]?.[1]).toBe("next");
    expect(JSON.parse(done[0]?.[0] ?? "")).toMatchObject({
      type: "loss",
      entries: 2,
      reason: "not written: no space left",
    });
    expect(lane.status()).toMatchObject({ lost: 2, lastError: undefined });
    await lane.append("after", undefined);
    expect(done[1]).toEqual(["after"]);
  });

  it("counts a loss once, and keeps the bytes of a loss line that was tried", async () => {
    const { lane, done, failures, tried } = laneOf();
    failures.push(new Error("one"), new Error("two"));
    await rejected(append(lane));
    await rejected(append(lane));
    lane.lose(testEntry(Date.now()).id, "three");
    await lane.append("next", undefined);
    expect((done[0] ?? []).slice(0, -1).map((line) => JSON.parse(line))).toMatchObject([
      { type: "loss", entries: 1, reason: "not written: one" },
      { type: "loss", entries: 2, reason: "not written: two" },
    ]);
    expect(tried.flat()).toEqual(expect.arrayContaining((done[0] ?? []).slice(0, 1)));
    expect(lane.status().lost).toBe(3);
  });

  it("says in a loss line which entries it counts, and whether they may be there anyway", async () => {
    const { lane, done, failures } = laneOf();
    const ids = [testEntry(Date.now()), testEntry(Date.now())];
    failures.push(new UncertainWrite(new Error("EIO")));
    await Promise.allSettled(ids.map(({ line, id }) => lane.append(line, id)));
    await lane.append("next", undefined);
    const [first, last] = ids.map(({ id }) => id);
    expect(JSON.parse(done[0]?.[0] ?? "")).toMatchObject({
      entries: 2,
      first,
      last,
      certain: false,
    });
  });

  it("takes a loss back whose write ended well after all", async () => {
    const { lane, done, failures } = laneOf();
    const { line, id } = testEntry(Date.now());
    failures.push(new UncertainWrite(new Error("no answer")));
    await rejected(lane.append(line, id));
    expect(lane.status().lost).toBe(1);
    lane.withdrawLoss(id);
    await lane.append("next", undefined);
    expect(done).toEqual([["next"]]);
    expect(lane.status().lost).toBe(0);
  });

  it("joins losses while no commit was tried", async () => {
    const { lane, done, failures } = laneOf();
    const untried = new UntriedWrite(new Error("no answer"));
    failures.push(new Error("one"), untried, untried);
    for (let tries = 0; tries < 3; tries += 1) await rejected(append(lane));
    await lane.append("next", undefined);
    expect(done[0]).toHaveLength(2);
    expect(JSON.parse(done[0]?.[0] ?? "")).toMatchObject({
      entries: 3,
      reason: "not written: one",
    });
  });

  it("tells of losses that are counted while a commit runs with a later one", async () => {
    const { lane, done } = laneOf();
    lane.lose(testEntry(Date.now()).id, "early");
    const first = lane.append("first", undefined);
    await sleep(0);
    lane.lose(testEntry(Date.now()).id, "late");
    await first;
    await lane.append("second", undefined);
    expect(
      done.map((lines) =>
        lines.map((line) => (line.startsWith("{") ? JSON.parse(line).entries : line)),
      ),
    ).toEqual([
      [1, "first"],
      [1, "second"],
    ]);
  });

  it("runs exclusive tasks between commits, also under a steady stream of lines", async () => {
    const { lane, done } = laneOf(1);
    const lines = Promise.all(["a", "b", "c"].map((line) => lane.append(line, undefined)));
    let commitsBefore = -1;
    await lane.exclusive(async () => {
      commitsBefore = done.length;
    });
    expect(commitsBefore).toBeLessThan(3);
    await lines;
    expect(await rejected(lane.exclusive(() => Promise.reject(new Error("mine"))))).toMatchObject({
      message: "mine",
    });
    await lane.append("goes on", undefined);
  });

  it("closes after the waiting lines and a due loss line, once", async () => {
    const { lane, done, failures } = laneOf(1);
    failures.push(new Error("full"), undefined);
    const lost = rejected(append(lane));
    const kept = lane.append("kept", undefined);
    let released = 0;
    const release = async (): Promise<void> => {
      released += 1;
    };
    const closing = lane.close(release);
    expect(await rejected(lane.append("late", undefined))).toMatchObject({
      code: "AUDIT_CLOSED",
      message: "the storage is closed",
    });
    await Promise.all([closing, lane.close(release), lost, kept]);
    expect(released).toBe(1);
    expect(done.flat().filter((line) => line.includes('"loss"'))).toHaveLength(1);
  });

  it("says with AUDIT_WRITE_FAILED when it could not close in order", async () => {
    const { lane } = laneOf();
    const closing = lane.close(() => Promise.reject(new Error("no space left")));
    expect(await rejected(closing)).toMatchObject({
      code: "AUDIT_WRITE_FAILED",
      message: "not written: no space left",
    });
  });
});
