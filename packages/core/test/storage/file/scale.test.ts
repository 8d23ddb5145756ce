import { existsSync } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AuditLogger, FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import type { SegmentRef } from "../../../src/format/control-line.ts";
import { Segment } from "../../../src/storage/segment.ts";
import { testEntry } from "../../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { finish, start } from "./children/run.ts";

const DAY_MS = 86_400_000;
const DAYS = 30;
const ENTRIES_A_DAY = 3334;
const COMMIT_LINES = 50;

/**
 * A signed log of 100,020 entries over the 30 days before today, as one writer leaves it. Gives
 * every 997th id.
 */
async function writeLog(path: string, signer: Signer): Promise<string[]> {
  const midnight = Date.now() - (Date.now() % DAY_MS);
  const ids: string[] = [];
  let prev: SegmentRef | null = null;
  for (let day = 0; day < DAYS; day += 1) {
    const from = midnight - (DAYS - day) * DAY_MS;
    const file = `audit_${new Date(from).toISOString().slice(0, 10).replaceAll("-", "")}.jsonl`;
    const created = new Date(from).toISOString();
    const segment = new Segment({
      file,
      stream: "AAAAAAAAAAAAAAAA",
      seq: day,
      created,
      prev,
      seen: [],
      sdk: "test",
      signer,
    });
    await using handle = await open(join(path, file), "wx");
    for (let n = 0; n < ENTRIES_A_DAY; n += COMMIT_LINES) {
      const entries = Array.from({ length: Math.min(COMMIT_LINES, ENTRIES_A_DAY - n) }, (_, i) =>
        testEntry(from + Math.floor(((n + i) * DAY_MS) / ENTRIES_A_DAY), {
          model: "gpt-5",
          metadata: { n: n + i },
        }),
      );
      await handle.write(
        segment.seal(
          entries.map(({ line }) => line),
          entries.length,
        ),
      );
      ids.push(...entries.map(({ id }) => id));
    }
    await handle.write(segment.close("day"));
    prev = segment.ref();
  }
  return ids.filter((_, n) => n % 997 === 0);
}

describe("A log of 100,000 entries over 30 days", () => {
  it.runIf(existsSync("/proc/self/io"))(
    "gives an entry for a few dozen kilobytes read",
    async () => {
      const path = await temporaryDirectory();
      const ids = await writeLog(path, await Signer.generate("test"));
      const { text } = await finish(
        start("read-bytes.ts", path, ...ids, "01981f6c-3a00-7abc-8def-0123456789ab"),
      );
      const reads: { found: boolean; bytes: number }[] = JSON.parse(text);
      const missing = reads.pop();
      expect(reads).toHaveLength(101);
      expect(reads.every(({ found }) => found)).toBe(true);
      expect(Math.max(...reads.map(({ bytes }) => bytes))).toBeLessThan(64 * 1024);
      expect(missing?.found).toBe(false);
      expect(missing?.bytes).toBeLessThan(1024);
    },
    60_000,
  );

  it("is searched, counted and cleaned; what stays verifies", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    await writeLog(path, signer);
    const total = DAYS * ENTRIES_A_DAY;
    const files = await readdir(path);
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(path, file))).size));
    expect(sizes.reduce((a, b) => a + b)).toBeGreaterThan(50e6);

    const logger = new AuditLogger(new FileStorage({ path, signer }), { retentionDays: 15 });
    expect(await logger.count()).toBe(total);
    const midnight = Date.now() - (Date.now() % DAY_MS);
    const [from, to] = [
      new Date(midnight - 10 * DAY_MS),
      new Date(midnight - 10 * DAY_MS + 3_600_000 - 1),
    ];
    expect(await logger.getEntries(from, to)).toHaveLength(Math.ceil(ENTRIES_A_DAY / 24));
    const now = new Date(midnight);
    expect(await logger.cleanupExpired({ now })).toBe(15 * ENTRIES_A_DAY);
    expect(await logger.count()).toBe(15 * ENTRIES_A_DAY);
    await logger.close();
    const left = (await readdir(path)).toSorted();
    expect(left.slice(0, 15)).toEqual(files.toSorted().slice(15));
    const verification = await verifyLog(path, { trustedKeys: [signer.vkey], signatures: "last" });
    expect(verification).toMatchObject({ exitCode: 0, entries: 15 * ENTRIES_A_DAY });
    expect(verification.files.filter(({ state }) => state === "PRUNED")).toHaveLength(15);
  }, 60_000);
});
