import { describe, expect, it } from "vitest";
import { cli, printed } from "../support/cli.ts";
import { writeOldLog } from "../support/old-log.ts";
import { sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit hold", { timeout: 60_000 }, () => {
  it("what is held stays until it is released", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01", "2024-01-02"]);

    const by = ["--reason", "case 12", "--actor", "legal"];
    const placed = await cli([
      "hold",
      "place",
      root,
      "--conversation",
      "of 2024-01-02",
      ...by,
      "--json",
    ]);
    const { hold } = JSON.parse(placed.stdout) as { hold: string };
    expect((await printed(["hold", "list", root])).replaceAll(hold, "HOLD")).toMatchInlineSnapshot(`
      "HOLD                                  FROM                      TO                        ACTOR  REASON
      HOLD  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z  legal  case 12
      "
    `);
    expect(steady(await printed(["cleanup", root])).replace(hold, "HOLD")).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240101.jsonl  2024-01-01T12:00:00.000Z  2024-01-01T12:00:00.000Z        1  removed
      audit_20240102.jsonl  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z        1  stays: hold HOLD by legal: case 12
      1 entry in 1 file removed
      "
    `);

    expect(await printed(["hold", "release", hold, root, ...by])).toBe(`released ${hold}\n`);
    expect(await printed(["hold", "list", root])).toBe("--- stderr\nno hold is in force\n");
    expect(steady(await printed(["cleanup", root])).replace(hold, "HOLD")).toMatchInlineSnapshot(`
      "retention 365 days (the default): removes entries older than TIME UTC
      FILE                  FROM                      TO                        ENTRIES  FATE
      audit_20240102.jsonl  2024-01-02T12:00:00.000Z  2024-01-02T12:00:00.000Z        1  removed
      1 entry in 1 file removed
      "
    `);
  });

  it("an entry, a time or everything can be held, one of them at a time", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01"]);
    const listed = await cli(["list", root, "--json"]);
    const { id } = JSON.parse(listed.stdout) as { id: string };

    await printed(["hold", "place", root, "--reason", "a", "--entry", id]);
    await printed([
      "hold",
      "place",
      root,
      "--reason",
      "b",
      "--since",
      "2024-01-01",
      "--until",
      "2024-01-31",
    ]);
    await printed(["hold", "place", root, "--reason", "c", "--all"]);

    const { stdout } = await cli(["hold", "list", root, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject([
      { reason: "a", from: "2024-01-01T12:00:00.000Z", to: "2024-01-01T12:00:00.000Z" },
      { reason: "b", from: "2024-01-01T00:00:00.000Z", to: "2024-01-31T23:59:59.999Z" },
      { reason: "c", from: null, to: null },
    ]);
    expect(await printed(["hold", "place", root, "--reason", "d"], { code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: it is not clear what to hold
        give one of: --since and --until, --entry, --conversation, --all
      "
    `);
    expect(
      await printed(["hold", "place", root, "--reason", "d", "--all", "--entry", id], { code: 64 }),
    ).toContain("not clear");
  });

  it("a reason must be given", async () => {
    const sample = await sharedSample();
    expect(await printed(["hold", "place", sample.directory, "--all"], { sample, code: 64 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: required option '--reason <text>' not specified
        see: ai-audit hold place --help
      "
    `);
  });

  it("a hold that is not in force cannot be released", async () => {
    const root = await temporaryDirectory();
    await writeOldLog(root, ["2024-01-01"]);
    expect(await printed(["hold", "release", "none", root, "--reason", "x"], { code: 1 }))
      .toMatchInlineSnapshot(`
      "--- stderr
      error: no hold none is in force
        to see the holds: ai-audit hold list
      "
    `);
  });
});

/** The output of cleanup with a word for the moment that it counts from. */
function steady(output: string): string {
  return output.replace(/than 20(?!24)\S+ \S+ UTC/m, "than TIME UTC");
}
