// The table of outcomes in docs/openai.md, row by row and word by word, with every supported
// version.
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { withAudit } from "../../src/index.ts";
import { loadSdk, VERSIONS } from "../equivalence/same-behaviour.ts";
import { errorIn, lifecycleBench } from "./bench.ts";
import { TABLE } from "./outcome-table.ts";

describe("the table of outcomes", async () => {
  const doc = await readFile(new URL("../../../../docs/openai.md", import.meta.url), "utf8");
  const [, table = ""] = /\n\| what happens .*\n\| -.*\n((?:\|.*\n)+)/.exec(doc) ?? [];
  const rows = table
    .trim()
    .split("\n")
    .map((row) => row.split("|").map((cell) => cell.trim()));
  const cells = rows.map(
    ([, happens = "", outcome = ""]) => [outcome.replaceAll("`", ""), happens] as const,
  );

  it("has a row for each outcome", () => {
    expect(cells.map(([outcome]) => outcome)).toEqual(Object.keys(TABLE));
  });

  it.each(cells)("says nothing of %s that is not shown here", (outcome, happens) => {
    const shown = [...new Set(TABLE[outcome]?.map(({ says }) => says))];
    for (const words of shown) expect(happens).toContain(words);
    const rest = shown
      .toSorted((a, b) => b.length - a.length)
      .reduce((left, words) => left.replace(words, ""), happens);
    expect(rest).toMatch(/^(?:[\s,;]|or)*$/);
  });
});

const CASES = Object.entries(TABLE).flatMap(([outcome, cases]) =>
  cases.map((one) => [outcome, one.says, one.by, one] as const),
);

describe.each(VERSIONS)("a call of %s", async (version) => {
  const sdk = await loadSdk(version);

  it.each(CASES)(
    "is %s after %s: %s",
    async (outcome, _says, _by, { replies, audit, call, throws, entry }) => {
      const bench = await lifecycleBench(replies);
      const client = new (withAudit(sdk.OpenAI))({
        apiKey: "sk-none",
        baseURL: bench.server.baseURL,
        maxRetries: 0,
        audit: { logger: bench.logger, ...audit },
      });
      const thrown = await call({ sdk, client, bench }).then(
        () => undefined,
        (error: unknown) => error,
      );
      const [kind, message] = throws ?? [];
      expect(thrown instanceof (kind?.(sdk) ?? Error)).toBe(throws !== undefined);
      expect(thrown instanceof Error ? thrown.message : String(thrown)).toMatch(
        message ?? /^undefined$/,
      );
      const entries = await bench.entries();
      const { error, ...fields } = entry;
      expect(entries).toMatchObject([{ outcome, alerts: [], ...fields }]);
      expect({ error: errorIn(bench.logger, entries[0]) }).toMatchObject({ error });
    },
  );
});
