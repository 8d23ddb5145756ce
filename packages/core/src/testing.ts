// The contract of a storage as a suite that any test framework can run. Needs only node:assert.
// Over 300 lines: the cases follow in the order of the contract.
import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { v7 } from "uuid";
import { AuditError, type AuditErrorCode } from "./errors.ts";
import { formatControlLine } from "./format/control-line.ts";
import { ENTRY_FIELDS } from "./format/fields.ts";
import type { AuditStorage, TimeRange } from "./storage/storage.ts";
import { DAY_MS } from "./time.ts";

/** The subject of a case: an empty storage of its own. */
export interface StorageUnderTest {
  readonly storage: AuditStorage;
  /**
   * Opens the same place again, as another process would. Absent where nothing outlives the
   * storage.
   */
  readonly reopen?: () => Promise<AuditStorage>;
}

/** One sentence of the contract. */
export interface ContractCase {
  readonly title: string;
  /** Rejects with an `AssertionError` when the storage does not keep the promise. */
  readonly run: () => Promise<void>;
}

type Test = (under: StorageUnderTest) => Promise<void>;

/** An entry's id and its line. */
export interface TestEntry {
  readonly id: string;
  readonly line: string;
}

/**
 * The promises of `AuditStorage`, one case each, for any test framework. `make` gives each case an
 * empty storage; the case closes it.
 *
 * @example
 * for (const { title, run } of storageContract(async () => ({ storage: new MyStorage() }))) test(title, run);
 */
export function storageContract(make: () => Promise<StorageUnderTest>): readonly ContractCase[] {
  return Object.entries(TESTS).map(([title, test]) => ({
    title,
    run: async () => {
      const under = await make();
      try {
        await test(under);
      } finally {
        await under.storage.close();
      }
    },
  }));
}

let sequence = 0;

/** The fields that every line has, each with its empty value. */
const ABSENT: Readonly<Record<string, unknown>> = Object.fromEntries(
  ENTRY_FIELDS.filter(({ absent }) => absent !== undefined).map(({ name, absent }) => [
    name,
    absent,
  ]),
);

/**
 * An entry as a logger writes it, of any time (milliseconds since the epoch). Ids ascend with the
 * calls.
 */
export function testEntry(time: number, fields: Readonly<Record<string, unknown>> = {}): TestEntry {
  const id = v7({ msecs: time, seq: (sequence += 1) });
  const entry = {
    ...ABSENT,
    id,
    timestamp: new Date(time).toISOString(),
    input_hash: "0".repeat(64),
    output_hash: "0".repeat(64),
    ...fields,
  };
  return { id, line: JSON.stringify(entry) };
}

/** Noon of a day before today: far from any rotation at midnight. */
function noon(daysAgo: number): number {
  const now = Date.now();
  return now - (now % DAY_MS) - daysAgo * DAY_MS + DAY_MS / 2;
}

async function appendAll(storage: AuditStorage, entries: readonly TestEntry[]): Promise<void> {
  await Promise.all(entries.map(({ line, id }) => storage.append(line, id)));
}

async function linesOf(
  storage: AuditStorage,
  range: TimeRange = {},
  order: "oldest-first" | "newest-first" = "oldest-first",
): Promise<string[]> {
  return (await Array.fromAsync(storage.pages(range, order))).flat();
}

function code(wanted: AuditErrorCode): (error: unknown) => boolean {
  return (error) => AuditError.isInstance(error) && error.code === wanted;
}

/** Ten entries over five days, oldest first: noon, and a millisecond later. */
function tenEntries(): TestEntry[] {
  return [5, 4, 3, 2, 1].flatMap((daysAgo) => [
    testEntry(noon(daysAgo)),
    testEntry(noon(daysAgo) + 1),
  ]);
}

const TESTS: Readonly<Record<string, Test>> = {
  "A storage has a stream of 16 base64url characters and says whether it is durable": async ({
    storage,
  }) => {
    match(storage.stream, /^[\w-]{16}$/);
    equal(typeof storage.durable, "boolean");
  },

  "An entry is found by its id, byte for byte": async ({ storage }) => {
    const odd = {
      metadata: {
        text: 'a "quote", \u2028, \n{"type":"checkpoint","note":""}\n, ünïcödé 🚀',
        empty: "",
      },
    };
    const entries = [testEntry(Date.now()), testEntry(Date.now(), odd), testEntry(Date.now())];
    await appendAll(storage, entries);
    for (const { id, line } of entries) equal(await storage.get(id), line);
  },

  "An id that was never written is not found": async ({ storage }) => {
    await appendAll(storage, [testEntry(noon(0))]);
    equal(await storage.get(testEntry(noon(0)).id), undefined);
    equal(await storage.get("6790d599-2aea-4eef-8fd2-0688895b5eb3"), undefined);
    equal(await storage.get("no id at all"), undefined);
  },

  "An empty storage has no pages with lines and counts nothing": async ({ storage }) => {
    deepEqual(await linesOf(storage), []);
    equal(await storage.count({}), 0);
  },

  "Lines appended at once are all kept, in the order of the calls": async ({ storage }) => {
    const entries = Array.from({ length: 500 }, () => testEntry(noon(1)));
    await appendAll(storage, entries);
    deepEqual(
      await linesOf(storage),
      entries.map(({ line }) => line),
    );
    equal(await storage.count({}), 500);
  },

  "Pages come in the order of time, and newest-first is the exact reverse": async ({ storage }) => {
    const lines = tenEntries();
    await appendAll(storage, lines);
    const forward = await linesOf(storage);
    deepEqual(
      forward,
      lines.map(({ line }) => line),
    );
    deepEqual(await linesOf(storage, {}, "newest-first"), forward.toReversed());
  },

  "A time range includes both of its ends": async ({ storage }) => {
    const entries = tenEntries();
    await appendAll(storage, entries);
    const range = { from: noon(4) + 1, to: noon(2) };
    const wanted = entries.slice(3, 7).map(({ line }) => line);
    deepEqual(await linesOf(storage, range), wanted);
    deepEqual(await linesOf(storage, range, "newest-first"), wanted.toReversed());
    equal(await storage.count(range), 4);
  },

  "A time range may be open at either end, and may hold nothing": async ({ storage }) => {
    const entries = tenEntries();
    await appendAll(storage, entries);
    deepEqual(
      await linesOf(storage, { from: noon(1) }),
      entries.slice(8).map(({ line }) => line),
    );
    deepEqual(
      await linesOf(storage, { to: noon(5) }),
      entries.slice(0, 1).map(({ line }) => line),
    );
    deepEqual(await linesOf(storage, { from: noon(3) + 2, to: noon(2) - 1 }), []);
    equal(await storage.count({ from: noon(3) + 2, to: noon(2) - 1 }), 0);
    equal(await storage.count({ from: -8.64e15, to: 8.64e15 }), 10);
  },

  "Reading may stop after any page": async ({ storage }) => {
    await appendAll(storage, tenEntries());
    for await (const page of storage.pages({}, "newest-first")) {
      ok(page.length > 0);
      break;
    }
    equal(await storage.count({}), 10);
  },

  "Control lines are accepted and never returned": async ({ storage }) => {
    const entry = testEntry(noon(0));
    const time = new Date(noon(0)).toISOString();
    await storage.append(
      formatControlLine({ type: "loss", entries: 1, from: time, to: time, reason: "a test" }),
    );
    await storage.append(entry.line, entry.id);
    deepEqual(await linesOf(storage), [entry.line]);
    equal(await storage.count({}), 1);
  },

  "An entry that records a call once more is kept and not counted": async ({ storage }) => {
    const first = testEntry(noon(1));
    const again = testEntry(noon(1), { run: { same_call_as: first.id } });
    const talk = testEntry(noon(1), { metadata: { text: '"same_call_as":"x"' } });
    await appendAll(storage, [first, again, talk]);
    equal(await storage.count({}), 2);
    equal((await linesOf(storage)).length, 3);
  },

  "A line that breaks the form is refused alone": async ({ storage }) => {
    const good = [testEntry(noon(0)), testEntry(noon(0))];
    const { id, line } = testEntry(noon(0));
    const kept = good.map((entry) => storage.append(entry.line, entry.id));
    const refused = [
      storage.append(`${line}\n{}`, id),
      storage.append(line, testEntry(noon(0)).id),
      storage.append(line),
      storage.append("no JSON", id),
      storage.append('{"type":"checkpoint","note":""}'),
      storage.append('{"type":"segment.close","reason":"","leaves":1,"entries":0}'),
    ];
    for (const append of refused) await rejects(append, code("AUDIT_INPUT_INVALID"));
    await Promise.all(kept);
    deepEqual(
      await linesOf(storage),
      good.map((entry) => entry.line),
    );
  },

  "Nothing is pending when every append has settled": async ({ storage }) => {
    await appendAll(storage, tenEntries());
    const { pending, pendingBytes, lost, lastError } = storage.status();
    deepEqual(
      { pending, pendingBytes, lost, lastError },
      { pending: 0, pendingBytes: 0, lost: 0, lastError: undefined },
    );
  },

  "Entries that were refused before they got here are counted as lost": async ({ storage }) => {
    storage.lose(testEntry(Date.now()).id, "a test");
    storage.lose(testEntry(Date.now()).id, "a test");
    equal(storage.status().lost, 2);
    await appendAll(storage, [testEntry(Date.now())]);
    equal(storage.status().lost, 2);
    equal(await storage.count({}), 1);
  },

  "flush() waits for every line appended before it": async ({ storage }) => {
    let settled = 0;
    const entries = Array.from({ length: 100 }, () => testEntry(noon(0)));
    const appends = entries.map(async ({ line, id }) => {
      await storage.append(line, id);
      settled += 1;
    });
    await storage.flush();
    await Promise.resolve(); // the appends' own continuations
    equal(settled, 100);
    await Promise.all(appends);
    await storage.flush();
  },

  "prune() removes what is older than the limit, and says how many": async ({ storage }) => {
    const entries = tenEntries();
    await appendAll(storage, entries);
    const now = Date.now();
    const { entries: removed } = await storage.prune({
      before: noon(3),
      policy: "a test",
      actor: "a test",
      now,
    });
    equal(removed, 4);
    deepEqual(
      await linesOf(storage),
      entries.slice(4).map(({ line }) => line),
    );
    equal(await storage.get(entries[0]?.id ?? ""), undefined);
    equal(await storage.count({}), 6);
    deepEqual(
      (await storage.prune({ before: noon(3), policy: "a test", actor: "a test", now })).entries,
      0,
    );
  },

  "prune() keeps an entry that is exactly as old as the limit": async ({ storage }) => {
    await appendAll(storage, [testEntry(noon(3))]);
    const options = { policy: "a test", actor: "a test", now: Date.now() };
    equal((await storage.prune({ ...options, before: noon(3) })).entries, 0);
    equal(await storage.count({}), 1);
  },

  "prune() with dryRun removes nothing and reports the same": async ({ storage }) => {
    await appendAll(storage, [...tenEntries(), testEntry(Date.now())]);
    const options = { before: noon(2), policy: "a test", actor: "a test", now: Date.now() };
    const foretold = await storage.prune({ ...options, dryRun: true });
    equal(await storage.count({}), 11);
    equal(foretold.entries, 6);
    deepEqual(await storage.prune(options), foretold);
    equal(await storage.count({}), 5);
  },

  "close() is idempotent; afterwards lines are refused and can still be read": async ({
    storage,
  }) => {
    const [first, second] = [testEntry(noon(0)), testEntry(noon(0))];
    const appended = storage.append(first.line, first.id);
    await Promise.all([storage.close(), storage.close()]);
    await appended;
    await rejects(storage.append(second.line, second.id), code("AUDIT_CLOSED"));
    await storage.close();
    await storage.flush();
    equal(await storage.get(first.id), first.line);
    equal(await storage.count({}), 1);
  },

  "Where it is durable, what was acknowledged is there after reopening, closed before or not":
    async (under) => {
      equal(under.reopen !== undefined, under.storage.durable);
      if (!under.reopen) return;
      const entries = tenEntries();
      await appendAll(under.storage, entries);
      const second = await under.reopen();
      notEqual(second.stream, under.storage.stream);
      const last = testEntry(Date.now());
      await second.append(last.line, last.id);
      await second.close();
      await under.storage.close();
      const third = await under.reopen();
      deepEqual(
        await linesOf(third),
        [...entries, last].map(({ line }) => line),
      );
      equal(await third.count({}), 11);
      equal(await third.get(entries[3]?.id ?? ""), entries[3]?.line);
      await third.close();
    },
};
