// The memory that entries hold between log() and the disk.
import { describe, expect, it } from "vitest";
import { AuditLogger } from "../../src/index.ts";
import { collectNow } from "@ai-audit/test-support/collect-garbage";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const ENTRIES = 2000;
const INPUT_BYTES = 50_000;

describe("An entry that waits for the disk", () => {
  it.each(["closed", "open"] as const)(
    "holds its line and about 2 KiB, and not the content of which only the hash is kept (%s)",
    async (failureMode) => {
      const logger = new AuditLogger(await temporaryDirectory(), { failureMode });
      await logger.log({ input: "first", output: "", provider: "openai", model: "gpt-5" });
      collectNow();
      const before = process.memoryUsage().heapUsed;
      const written: Promise<string>[] = [];
      for (let n = 0; n < ENTRIES; n += 1) {
        const input = `${n}`.padEnd(INPUT_BYTES, "x");
        written.push(logger.log({ input, output: "", provider: "openai", model: "gpt-5" }));
      }
      const { pending, pendingBytes } = logger.storage.status();
      expect(pending).toBe(ENTRIES);
      collectNow();
      const held = process.memoryUsage().heapUsed - before;
      expect(held / ENTRIES).toBeLessThan(pendingBytes / ENTRIES + 4096);
      expect(new Set(await Promise.all(written)).size).toBe(ENTRIES);
      await logger.close();
    },
  );
});
