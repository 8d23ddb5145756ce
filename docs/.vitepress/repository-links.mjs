// Links out of docs/ lead to files of the repository. On the site they lead to its pages on GitHub.
import { posix } from "node:path";

const REPOSITORY = "https://github.com/ai-audit/ai-audit/blob/main/";

/** A plugin of markdown-it. */
export function repositoryLinks(markdown) {
  markdown.core.ruler.push("repository-links", ({ tokens, env }) => {
    const folder = posix.join("docs", posix.dirname(env.relativePath ?? "index.md"));
    for (const token of tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (href === null || !href.startsWith("../")) continue;
      const target = posix.join(folder, href);
      if (!target.startsWith("docs/")) token.attrSet("href", REPOSITORY + target);
    }
  });
}
