// The order of the site's pages. A page of docs/ that has no place here stands at the end of the guides.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const docs = fileURLToPath(new URL("..", import.meta.url));

interface Place {
  readonly text: string;
  readonly pages: readonly string[];
  readonly folder?: string;
  readonly takesOthers?: true;
}

interface Section {
  readonly text: string;
  readonly items: readonly { readonly text: string; readonly link: string }[];
}

/** Sections in reading order. `folder` adds the folder's pages; `guides` takes what has no place. */
const PLACES: readonly Place[] = [
  { text: "Start", pages: ["index.md"] },
  { text: "Tutorial", pages: [], folder: "tutorial" },
  { text: "Concepts", pages: [], folder: "concepts" },
  {
    text: "Guides",
    pages: [
      "logger.md",
      "openai.md",
      "anthropic.md",
      "langchain.md",
      "ai-sdk.md",
      "mcp.md",
      "agents.md",
      "keys.md",
      "s3.md",
      "sql.md",
      "deployment.md",
    ],
    folder: "guides",
    takesOthers: true,
  },
  {
    text: "Reference",
    pages: [
      "api.md",
      "cli.md",
      "errors.md",
      "format.md",
      "verification.md",
      "anchoring.md",
      "openai-surfaces.md",
      "providers.md",
      "scale.md",
      "benchmarks.md",
    ],
    folder: "decisions",
  },
  {
    text: "Security and compliance",
    pages: ["viewer.md", "evidence.md", "report.md", "faults.md"],
    folder: "security",
  },
];

const rank = (page: string): number => (/(?:^|\/)(?:README|index)\.md$/.test(page) ? 0 : 1);

/** Markdown files of a folder of docs/; an overview first, the others by name. */
function pagesOf(folder: string): readonly string[] {
  return readdirSync(`${docs}${folder}`)
    .filter((name) => name.endsWith(".md"))
    .map((name) => (folder === "" ? name : `${folder}/${name}`))
    .toSorted((a, b) => rank(a) - rank(b) || a.localeCompare(b, "en", { numeric: true }));
}

function titleOf(page: string): string {
  const title = /^# (.+)$/m.exec(readFileSync(`${docs}${page}`, "utf8"))?.[1];
  if (title === undefined) throw new Error(`docs/${page} has no title`);
  return title.replaceAll("`", "");
}

const itemOf = (page: string): Section["items"][number] => ({
  text: titleOf(page),
  // VitePress knows the page of a folder by the folder alone.
  link: `/${page.replace(/(?:(?<=^|\/)index)?\.md$/, "")}`,
});

/** The sections with their pages, as VitePress takes them for its sidebar. */
export function sections(): readonly Section[] {
  const placed = new Set(PLACES.flatMap(({ pages }) => pages));
  const others = pagesOf("").filter((page) => !placed.has(page));
  return PLACES.map(({ text, pages, folder, takesOthers }) => {
    const all = [
      ...pages,
      ...(takesOthers ? others : []),
      ...(folder === undefined ? [] : pagesOf(folder)),
    ];
    return { text, items: all.map(itemOf) };
  }).filter(({ items }) => items.length > 0);
}
