import { spawnSync } from "node:child_process";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { array, assert, asyncProperty, constantFrom, integer, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { AuditLogger, FileStorage, type TimeRange } from "../../../src/index.ts";
import { formatControlLine } from "../../../src/format/control-line.ts";
import { Segment } from "../../../src/storage/segment.ts";
import { testEntry, type TestEntry } from "../../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { times } from "@ai-audit/test-support/soak";

const NOON = Date.UTC(2026, 0, 15, 12);

interface Shape {
  /** Bytes of text in each entry's metadata, by commit. */
  readonly commits: readonly (readonly number[])[];
  readonly tail: string;
}

/** Writes one file of that shape, entries a millisecond apart from NOON on; gives the entries. */
async function writeShape(path: string, { commits, tail }: Shape): Promise<TestEntry[]> {
  const file = "audit_20260115.jsonl";
  const created = new Date(NOON).toISOString();
  const segment = new Segment({
    file,
    stream: "AAAAAAAAAAAAAAAA",
    seq: 0,
    created,
    prev: null,
    seen: [],
    sdk: "test",
  });
  const chunks: Buffer[] = [];
  const entries: TestEntry[] = [];
  for (const sizes of commits) {
    const lines = sizes.map((size) => {
      const entry = testEntry(NOON + entries.length, { metadata: { text: "é".repeat(size) } });
      entries.push(entry);
      return entry.line;
    });
    lines.push(
      formatControlLine({
        type: "loss",
        entries: 1,
        from: created,
        to: created,
        reason: "a control line among entries",
      }),
    );
    chunks.push(segment.seal(lines, sizes.length));
  }
  await mkdir(path, { recursive: true });
  await writeFile(join(path, file), Buffer.concat([...chunks, Buffer.from(tail)]));
  return entries;
}

describe("Reading a segment", () => {
  it("finds every entry, both ways, for any range, however lines and pages meet", async () => {
    const path = await temporaryDirectory();
    let run = 0;
    const shape = record({
      commits: array(
        array(constantFrom(0, 1, 100, 2000, 8192, 16_000, 70_000, 140_000), { maxLength: 8 }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      tail: constantFrom("", '{"id":"', "\0".repeat(20_000), "x".repeat(50_000)),
    });
    await assert(
      asyncProperty(
        shape,
        integer({ min: -1, max: 50 }),
        integer({ min: 0, max: 50 }),
        async (given, first, length) => {
          const storage = new FileStorage({ path: join(path, `${(run += 1)}`) });
          const entries = await writeShape(storage.path, given);
          const lines = entries.map(({ line }) => line);
          const all = (await Array.fromAsync(storage.pages({}, "oldest-first"))).flat();
          expect(all).toEqual(lines);
          const range = { from: NOON + first, to: NOON + first + length };
          const wanted = lines.slice(Math.max(0, first), first + length + 1);
          expect((await Array.fromAsync(storage.pages(range, "oldest-first"))).flat()).toEqual(
            wanted,
          );
          expect((await Array.fromAsync(storage.pages(range, "newest-first"))).flat()).toEqual(
            wanted.toReversed(),
          );
          expect(await storage.count(range)).toBe(wanted.length);
          for (const { id, line } of entries) expect(await storage.get(id)).toBe(line);
          expect(await storage.get(testEntry(NOON + first).id)).toBeUndefined();
        },
      ),
      { numRuns: times(15, 100) },
    );
  }, 60_000);

  it.each(["oldest-first", "newest-first"] as const)(
    "tells how much of the range it has read, %s",
    async (order) => {
      const storage = new FileStorage({ path: await temporaryDirectory(), durability: "os" });
      const DAY = 86_400_000;
      for (const day of [0, 1, 2]) {
        for (let n = 0; n < 20; n += 1) {
          const { line, id } = testEntry(NOON + day * DAY + n, {
            metadata: { text: "x".repeat(50_000) },
          });
          await storage.append(line, id);
        }
      }
      await storage.close();
      const sharesOf = async (
        range: TimeRange,
      ): Promise<{ atLines: number[]; shares: number[] }> => {
        const shares: number[] = [];
        const atLines: number[] = [];
        for await (const page of storage.pages(range, order, (share) => shares.push(share)))
          atLines.push(...page.map(() => shares.at(-1) ?? -1));
        return { atLines, shares };
      };

      const whole = await sharesOf({});
      expect(whole.shares).toEqual(whole.shares.toSorted((a, b) => a - b));
      expect(whole.shares.at(-1)).toBe(1);
      expect(whole.atLines).toHaveLength(60);
      // With the last line of the first of three days a third has been read, but for what is read
      // ahead.
      expect(whole.atLines[19]).toBeGreaterThan(0.3);
      expect(whole.atLines[19]).toBeLessThan(0.6);

      const part = await sharesOf({ from: NOON + DAY + 10, to: NOON + DAY + 19 });
      expect(part.atLines).toHaveLength(10);
      expect(part.shares.at(-1)).toBe(1);
      expect(part.shares.filter((share) => share < 0.5).length).toBeGreaterThan(0); // of ten entries, not of the day's twenty
    },
  );

  it.each(["oldest-first", "newest-first"] as const)(
    "ends with a file that is removed meanwhile, %s",
    async (order) => {
      const path = await temporaryDirectory();
      const storage = new FileStorage({ path });
      const entries = await writeShape(path, {
        commits: [Array.from({ length: 20 }, () => 20_000)],
        tail: "",
      });
      const lines = entries.map(({ line }) => line);
      const read: string[] = [];
      for await (const page of storage.pages({}, order)) {
        read.push(...page);
        await rm(join(path, "audit_20260115.jsonl"), { force: true });
      }
      expect(read.length).toBeGreaterThan(0);
      expect(read.length).toBeLessThan(lines.length);
      expect(read).toEqual(
        (order === "oldest-first" ? lines : lines.toReversed()).slice(0, read.length),
      );
    },
  );

  it("of a day with more files than a process may open merges them all", async () => {
    const path = await temporaryDirectory();
    for (let n = 0; n < 80; n += 1) {
      await using logger = new AuditLogger(new FileStorage({ path, durability: "os" }));
      await logger.log({ input: `${n}`, output: "" });
    }
    const source = `
      import { AuditLogger } from ${JSON.stringify(join(import.meta.dirname, "../../../src/index.ts"))};
      const logger = new AuditLogger(process.argv[1]);
      const entries = await Array.fromAsync(logger.entries());
      const newest = await Array.fromAsync(logger.entries({ newestFirst: true }));
      console.log(JSON.stringify({ count: entries.length, same: entries.every((e, n) => e.id === newest.at(-1 - n)?.id), counted: await logger.count() }));`;
    const args = [
      "-c",
      `ulimit -n 64; exec "$0" "$@"`,
      process.execPath,
      "--input-type=module",
      "--eval",
      source,
      path,
    ];
    const { stdout } = spawnSync("sh", args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
    });
    expect(JSON.parse(stdout)).toEqual({ count: 80, same: true, counted: 80 });
  });

  it("reads no line that its writer has not finished", async () => {
    const path = await temporaryDirectory();
    const storage = new FileStorage({ path });
    const [entry] = await writeShape(path, { commits: [[1]], tail: "" });
    const bytes = await readFile(join(path, "audit_20260115.jsonl"));
    const end = bytes.indexOf(entry?.line ?? "-") + Buffer.byteLength(entry?.line ?? "");
    await writeFile(join(path, "audit_20260115.jsonl"), bytes.subarray(0, end)); // all of the line, and no line feed
    expect((await Array.fromAsync(storage.pages({}, "oldest-first"))).flat()).toEqual([]);
    expect(await storage.get(entry?.id ?? "")).toBeUndefined();
    expect(await storage.count({})).toBe(0);
  });
});
