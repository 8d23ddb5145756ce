import { join } from "node:path";
import {
  assert,
  type AsyncCommand,
  asyncModelRun,
  asyncProperty,
  boolean,
  commands,
  constant,
  integer,
  tuple,
} from "fast-check";
import { expect, it } from "vitest";
import { Signer, verifyLog } from "../../../src/index.ts";
import { FileStorage } from "../../../src/storage/file/file.ts";
import { testEntry, type TestEntry } from "../../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { times } from "@ai-audit/test-support/soak";

const DAY_MS = 86_400_000;
const DAYS = 6;
/** Midnight, so many days before today. */
const FIRST_DAY = Date.now() - (Date.now() % DAY_MS) - DAYS * DAY_MS;

/** What a log should hold, in the order of time. */
interface Model {
  entries: readonly (TestEntry & { readonly time: number })[];
}

interface Real {
  readonly path: string;
  readonly signer: Signer;
  /** Writers that are open; the first one reads. */
  writers: FileStorage[];
}

function open({ path, signer }: Real): FileStorage {
  return new FileStorage({ path, signer, durability: "os", rotationSizeMb: 0.004 });
}

type Step = AsyncCommand<Model, Real>;

/** Some entries of one day, by one of the writers. */
function append(count: number, day: number, writer: number): Step {
  return {
    check: () => true,
    run: async (model, real) => {
      const storage = real.writers[writer % real.writers.length];
      const added = Array.from({ length: count }, (_, n) => {
        const time = FIRST_DAY + day * DAY_MS + n;
        return { ...testEntry(time), time };
      });
      await Promise.all(added.map(async ({ line, id }) => storage?.append(line, id)));
      model.entries = [...model.entries, ...added].toSorted((a, b) => (a.id < b.id ? -1 : 1));
    },
    toString: () => `append ${count} of day ${day} by ${writer}`,
  };
}

/** A writer ends in order or is left as a crash leaves it, and another begins. */
function restart(inOrder: boolean): Step {
  return {
    check: () => true,
    run: async (_, real) => {
      const [first, ...others] = real.writers;
      if (inOrder) await first?.close();
      real.writers = [...others, open(real)];
    },
    toString: () => (inOrder ? "restart" : "crash"),
  };
}

/** Every writer ends, and a new one removes what is older than a day. */
function prune(day: number): Step {
  return {
    check: () => true,
    run: async (model, real) => {
      await Promise.all(real.writers.map((writer) => writer.close()));
      real.writers = [open(real)];
      const before = FIRST_DAY + day * DAY_MS;
      const result = await real.writers[0]?.prune({
        before,
        policy: "a test",
        actor: "a test",
        now: Date.now(),
      });
      const kept = model.entries.filter(({ time }) => time >= before);
      expect(result?.entries).toBe(model.entries.length - kept.length);
      model.entries = kept;
    },
    toString: () => `prune before day ${day}`,
  };
}

/** Reads a range of days both ways, counts it, and looks entries up. */
function look(from: number, days: number): Step {
  return {
    check: () => true,
    run: async (model, { writers: [storage] }) => {
      if (!storage) return;
      const range = { from: FIRST_DAY + from * DAY_MS, to: FIRST_DAY + (from + days) * DAY_MS };
      const wanted = model.entries.filter(({ time }) => time >= range.from && time <= range.to);
      const lines = wanted.map(({ line }) => line);
      expect((await Array.fromAsync(storage.pages(range, "oldest-first"))).flat()).toEqual(lines);
      expect((await Array.fromAsync(storage.pages(range, "newest-first"))).flat()).toEqual(
        lines.toReversed(),
      );
      expect(await storage.count(range)).toBe(lines.length);
      expect(await storage.count({})).toBe(model.entries.length);
      for (const { id, line } of wanted) expect(await storage.get(id)).toBe(line);
    },
    toString: () => `look at ${days} days from ${from}`,
  };
}

it("FileStorage holds what a list would, whatever several writers do, and verifies", async () => {
  const directory = await temporaryDirectory();
  const signer = await Signer.generate("test");
  let run = 0;
  const steps = commands<Model, Real, false>(
    [
      tuple(
        integer({ min: 1, max: 12 }),
        integer({ min: 0, max: DAYS - 1 }),
        integer({ min: 0, max: 2 }),
      ).map((given) => append(...given)),
      boolean().map(restart),
      integer({ min: 0, max: DAYS }).map(prune),
      tuple(integer({ min: -1, max: DAYS }), integer({ min: 0, max: DAYS })).map((given) =>
        look(...given),
      ),
      constant(look(0, DAYS)),
    ],
    { maxCommands: 25 },
  );
  await assert(
    asyncProperty(steps, async (given) => {
      const real: Real = { path: join(directory, `${(run += 1)}`), signer, writers: [] };
      real.writers = [open(real), open(real)];
      const model: Model = { entries: [] };
      await asyncModelRun(() => ({ model, real }), given);
      await Promise.all(real.writers.map((writer) => writer.close()));
      if (model.entries.length === 0) return;
      const { entries, files } = await verifyLog(real.path, { trustedKeys: [signer.vkey] });
      expect(entries).toBe(model.entries.length);
      for (const { state, problems } of files) {
        expect({ state, problems }).toEqual({
          state: expect.stringMatching(/^(OK|OPEN|PRUNED|UNCLOSED)$/),
          problems: expect.anything(),
        });
      }
    }),
    { numRuns: times(15, 200) },
  );
}, 60_000);
