import { describe, expect, it } from "vitest";
import { Deadline } from "../../src/capture/deadline.ts";

const never = (): Promise<never> => new Promise(() => undefined);

describe("Deadline", () => {
  it("settles as the work does when that is in time", async () => {
    const deadline = new Deadline(60_000, () => new Error("late"));
    const failure = new TypeError("failed");
    await expect(deadline.limit(Promise.resolve("done"))).resolves.toBe("done");
    await expect(deadline.limit(Promise.reject(failure))).rejects.toBe(failure);
  });

  it("rejects work that hangs, each piece with an error of its own, and goes on to limit what comes later", async () => {
    let misses = 0;
    const deadline = new Deadline(5, () => new Error(`late ${(misses += 1)}`));
    const hanging = await Promise.allSettled([deadline.limit(never()), deadline.limit(never())]);
    expect(
      hanging.map((one) => one.status === "rejected" && (one.reason as Error).message),
    ).toEqual(["late 1", "late 2"]);
    await expect(deadline.limit(Promise.resolve(7))).resolves.toBe(7);
    await expect(deadline.limit(never())).rejects.toThrow("late 3");
  });

  it("does not fail work that began after the one that the timer was set for", async () => {
    const deadline = new Deadline(30, () => new Error("late"));
    const first = deadline.limit(never()).catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 15));
    const { promise, resolve: settle } = Promise.withResolvers<string>();
    const second = deadline.limit(promise);
    await first;
    settle("in time");
    await expect(second).resolves.toBe("in time");
  });
});
