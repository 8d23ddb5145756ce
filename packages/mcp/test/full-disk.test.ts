// Calls whose entry cannot be written once they have begun.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { MAJORS } from "./fixtures.ts";

/** Keeps its first lines, and no more once it is full. */
class FillingDisk extends MemoryStorage {
  isFull = false;

  override append(line: string, id?: string): Promise<void> {
    return this.isFull ? Promise.reject(new Error("no space left")) : super.append(line, id);
  }
}

describe.each(Object.entries(MAJORS))(
  "An answer over SDK %s that cannot be recorded",
  (_, connect) => {
    it.each(["client", "server"] as const)("is an error to the caller, by the %s", async (side) => {
      const storage = new FillingDisk();
      const logger = new AuditLogger(storage);
      const lost: string[] = [];
      const host = await connect({
        [side]: {
          logger,
          onAuditError: ({ code }: { readonly code: string }) => void lost.push(code),
        },
        onHandled: () => {
          storage.isFull = true;
        },
      });
      await expect(host.call("echo", { text: "hi" })).rejects.toThrow("could not be written");
      expect(host.handled).toEqual(["echo"]);
      expect(lost).toEqual(["AUDIT_WRITE_FAILED"]);
      storage.isFull = false;
      expect(await host.call("paints")).toMatchObject({ content: [{ type: "image" }] });
      await host.close();
      await logger.close();
    });
  },
);
