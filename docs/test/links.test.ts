// Every link of the documentation leads to a page, a file or a heading that is there.
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const pages = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"].map((name) =>
    join(root, name),
  ),
  ...globSync("docs/**/*.md", { cwd: root, exclude: ["**/node_modules"] }).map((name) =>
    join(root, name),
  ),
].filter((page) => existsSync(page));

/** Without the code of fences and of quotes: nothing in it is a link. */
function proseOf(page: string): string {
  return readFileSync(page, "utf8")
    .replaceAll(/^ *```[\s\S]*?^ *```/gm, "")
    .replaceAll(/`[^`\n]*`/g, (code) => code.replaceAll(/[[\]()]/g, ""));
}

/** The ids of a page's headings, as GitHub and the site make them. */
function anchorsOf(page: string): Set<string> {
  const headings = proseOf(page).matchAll(/^#{1,6} (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(/\s/g, "-"),
    ),
  );
}

function deadLinksOf(page: string): string[] {
  return [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : join(dirname(page), path);
    if (!existsSync(target)) return [link];
    return anchor === undefined || anchorsOf(target).has(anchor) ? [] : [link];
  });
}

describe("links", () => {
  it.each(pages.map((page) => ({ name: relative(root, page), page })))(
    "of $name lead somewhere",
    ({ page }) => {
      expect(deadLinksOf(page)).toEqual([]);
    },
  );
});
