import { setImmediate } from "node:timers";
import { describe, expect, it, vi } from "vitest";
import { endOfTurn } from "../../src/capture/index.ts";

describe("endOfTurn()", () => {
  it("resolves after all of this turn, in order, and for what follows from it in the same turn", async () => {
    const seen: string[] = [];
    const waiting = async (name: string): Promise<void> => {
      await endOfTurn();
      seen.push(name);
      await endOfTurn();
      seen.push(`${name} again`);
    };
    const both = [waiting("first"), waiting("second")];
    await Promise.resolve();
    process.nextTick(() => seen.push("tick"));
    const next = new Promise<void>((resolve) =>
      setImmediate(() => {
        seen.push("next turn");
        void endOfTurn().then(() => seen.push("its end"));
        resolve();
      }),
    );
    await Promise.all(both);
    expect(seen).toEqual(["tick", "first", "second", "first again", "second again"]);
    await next;
    await endOfTurn();
    expect(seen.slice(5)).toEqual(["next turn", "its end"]);
  });

  it("comes once a turn for one who waits again and again: timers run", async () => {
    const timer = vi.fn<() => void>();
    setTimeout(timer, 20);
    for (let turns = 0; timer.mock.calls.length === 0 && turns < 100_000; turns += 1)
      await endOfTurn();
    expect(timer).toHaveBeenCalledOnce();
  });
});
