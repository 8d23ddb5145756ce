import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  AuditError,
  AuditLogger,
  FileStorage,
  type Interaction,
  Signer,
  verifyLog,
} from "../../src/index.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

/** What is given, and what content() gives back. */
const INPUTS: [string, () => unknown, unknown][] = [
  ["a lone surrogate", () => "a\ud800b", "a\ufffdb"],
  ["NaN", () => Number.NaN, "NaN"],
  ["a BigInt", () => 10n ** 30n, "1000000000000000000000000000000"],
  ["null", () => null, null],
  ["a Date", () => new Date(0), "1970-01-01T00:00:00.000Z"],
  ["a function", () => () => 1, "[function]"],
  ["a symbol", () => Symbol("x"), "[symbol]"],
  ["undefined members", () => ({ a: undefined, b: [undefined] }), { b: [null] }],
  [
    "U+2028, U+2029, NEL and NUL",
    () => "a\u2028b\u2029c\u0085d\0e\r\nf",
    "a\u2028b\u2029c\u0085d\0e\r\nf",
  ],
  [
    "an entry line",
    () => '{"id":"01981f6c-3a00-7abc-8def-0123456789ab","timestamp":"2026-01-01T00:00:00Z"}',
    undefined,
  ],
  [
    "a checkpoint after a line feed",
    () => 'x\n{"type":"checkpoint","note":"a/b/c\\n1\\nAAAA\\n"}\n',
    undefined,
  ],
  [
    "a segment.open line",
    () => '{"type":"segment.open","v":1,"file":"audit_20260101.jsonl"}',
    undefined,
  ],
  ["a JWE's beginning", () => "eyJhbGciOiJkaXIi.not.a.real.one", undefined],
  ["a Fernet token's beginning", () => "gAAAAABnot-a-real-token", undefined],
  ["a byte order mark", () => "\ufeffx", undefined],
  [
    "a __proto__ member",
    () => JSON.parse('{"__proto__":{"a":1}}'),
    JSON.parse('{"__proto__":{"a":1}}'),
  ],
  ["a member called type", () => ({ type: "checkpoint" }), { type: "checkpoint" }],
  ["JSON in a text", () => '{"a":1}', undefined],
  [
    "a cycle",
    () => {
      const cycle: unknown[] = [];
      cycle.push(cycle);
      return cycle;
    },
    ["[circular]"],
  ],
  [
    "a getter that throws",
    () => ({
      get bad(): never {
        throw new Error("no");
      },
      good: 1,
    }),
    { bad: "[threw]", good: 1 },
  ],
  [
    "a Proxy that throws",
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("no");
          },
        },
      ),
    "[threw]",
  ],
  [
    "a sparse array of four billion",
    () => {
      const sparse: unknown[] = [];
      sparse[4e9] = 1;
      return sparse;
    },
    { "4000000000": 1 },
  ],
  [
    "bytes",
    () => new Uint8Array(3),
    { bytes: 3, sha256: "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c" },
  ],
];

describe.each([
  ["input", false],
  ["metadata", true],
])("As %s, every oddity", (_, asMetadata) => {
  it("gives a line that reads back to a defined value, and its neighbours survive", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    const logger = new AuditLogger(new FileStorage({ path, signer }), { storeContent: true });
    const logged = await Promise.all(
      INPUTS.map(async ([name, make]) => {
        const fields = asMetadata ? { input: "", metadata: { odd: make() } } : { input: make() };
        return { name, id: await logger.log({ output: name, ...fields }) };
      }),
    );
    const entries = await Array.fromAsync(logger.entries());
    expect(entries.map(({ id }) => id)).toEqual(logged.map(({ id }) => id));
    for (const [index, [name, make, wanted]] of INPUTS.entries()) {
      const entry = await logger.getEntry(logged[index]?.id ?? "");
      if (!entry) throw new Error(`${name} is not found`);
      const value = asMetadata ? entry.metadata["odd"] : logger.content(entry).input;
      expect({ [name]: value }).toEqual({ [name]: wanted === undefined ? make() : wanted });
      expect(logger.content(entry).output).toBe(name);
      const claim = { input: asMetadata ? "" : make(), output: name };
      expect(logger.verifyContent(entry, claim)).toEqual({ input: true, output: true });
    }
    await logger.close();
    const verification = await verifyLog(path, { trustedKeys: [signer.vkey] });
    expect(verification).toMatchObject({ exitCode: 0, entries: INPUTS.length });
    const [file] = verification.files;
    const text = await readFile(join(path, file?.file ?? ""), "utf8");
    for (const line of text.trimEnd().split("\n"))
      expect(() => JSON.parse(line) as unknown).not.toThrow();
  });
});

describe("A whole interaction that is odd", () => {
  const hostile: [string, () => unknown, string][] = [
    [
      "a Proxy without readable keys",
      () =>
        new Proxy(
          { input: "x", output: "y" },
          {
            ownKeys: () => {
              throw new Error("no");
            },
          },
        ),
      "log(): the interaction threw when its fields were listed",
    ],
    [
      "an input whose getter throws",
      () => ({
        get input(): never {
          throw new Error("no");
        },
        output: "y",
      }),
      "log(): input threw when it was read",
    ],
    [
      "a field whose getter throws",
      () => ({
        input: "x",
        output: "y",
        get model(): never {
          throw new Error("no");
        },
      }),
      "log(): model threw when it was read",
    ],
    [
      "an unknown __proto__ member",
      () => JSON.parse('{"input":"x","output":"y","__proto__":1}'),
      "log(): __proto__ is not a field of an interaction; your own data goes into metadata",
    ],
    [
      "a revoked Proxy",
      () => revokedProxy(),
      "log(): the interaction threw when its fields were listed",
    ],
  ];

  it.each(hostile)(
    "%s is a clear AuditError in log(), and an entry with an alert in capture()",
    async (_, make, message) => {
      const path = await temporaryDirectory();
      const logger = new AuditLogger(path);
      const results = await Promise.allSettled([
        logger.log({ input: "before", output: "" }),
        logger.log(make() as Interaction),
        logger.log({ input: "after", output: "" }),
      ]);
      expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
      const reason: unknown = results[1]?.status === "rejected" ? results[1].reason : undefined;
      expect(AuditError.isInstance(reason)).toBe(true);
      expect(reason).toMatchObject({ code: "AUDIT_INPUT_INVALID", message });
      const id = await logger.callSink.capture(make() as Interaction);
      expect(await logger.getEntry(id)).toBeDefined();
      expect(await logger.count()).toBe(3);
      await logger.close();
    },
  );

  it("50 MB of text is one line that reads back", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("test");
    const logger = new AuditLogger(new FileStorage({ path, signer }), { storeContent: true });
    const text = 'a "quoted" line\n'.repeat(3_300_000);
    expect(text.length).toBeGreaterThan(50e6);
    const ids = await Promise.all(
      ["before", text, "after"].map((input) => logger.log({ input, output: "" })),
    );
    const entry = await logger.getEntry(ids[1] ?? "");
    expect(entry?.inputContent === text).toBe(true);
    expect(await logger.count()).toBe(3);
    expect(await Array.fromAsync(logger.entries({ newestFirst: true }), ({ id }) => id)).toEqual(
      ids.toReversed(),
    );
    await logger.close();
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({
      exitCode: 0,
      entries: 3,
    });
  }, 60_000);

  it.each([
    ["longer than a line may be", "\0".repeat(12_000_000)], // 72 million bytes when escaped
    ["longer than any string when escaped", "\0".repeat(100_000_000)],
  ])(
    "text %s is in the log by its hash: nobody escapes the log by a long prompt",
    async (_, input) => {
      const logger = new AuditLogger(await temporaryDirectory(), { storeContent: true });
      const [, id] = await Promise.all(
        ["before", input, "after"].map((each) => logger.log({ input: each, output: "x" })),
      );
      const entry = await logger.getEntry(id ?? "");
      expect(entry).toMatchObject({ inputContent: null, outputContent: null });
      expect(entry?.alerts).toEqual([
        "ai-audit: the content is not kept: the entry's line would be longer than 64 MiB",
      ]);
      expect(entry && logger.verifyContent(entry, { input, output: "x" })).toEqual({
        input: true,
        output: true,
      });
      expect(await logger.count()).toBe(3);
      await logger.close();
    },
    60_000,
  );

  it("fields too long for a line are refused alone", async () => {
    const logger = new AuditLogger(await temporaryDirectory());
    const metadata = { long: "\0".repeat(12_000_000) };
    const results = await Promise.allSettled([
      logger.log({ input: "before", output: "" }),
      logger.log({ input: "", output: "", metadata }),
      logger.log({ input: "after", output: "" }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(results[1]).toMatchObject({
      reason: { code: "AUDIT_INPUT_INVALID", message: "log(): the entry is too long for a line" },
    });
    await logger.close();
  }, 60_000);
});

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
