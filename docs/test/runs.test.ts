// Every example and every command on a page prints what the page shows.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { describe, expect, it } from "vitest";
import { hasRuns, steady, withRuns } from "../scripts/documented-runs.ts";
import { s3Variables } from "../scripts/s3-variables.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = globSync("docs/{*,*/*}.md", { cwd: root }).filter((page) =>
  hasRuns(readFileSync(join(root, page), "utf8")),
);

const needsS3 = (page: string): boolean =>
  readFileSync(join(root, page), "utf8").includes("example s3-");

describe("examples and commands", { timeout: 180_000 }, () => {
  it.each(pages.filter((page) => !needsS3(page)))("of %s print what it shows", async (page) => {
    const file = join(root, page);
    expect(steady(await withRuns(file))).toBe(steady(readFileSync(file, "utf8")));
  });

  it.skipIf(isLeftOut("moto")).each(pages.filter(needsS3))(
    "of %s print what it shows",
    async (page) => {
      const file = join(root, page);
      const now = await withRuns(file, await s3Variables());
      expect(steady(now)).toBe(steady(readFileSync(file, "utf8")));
    },
  );
});
