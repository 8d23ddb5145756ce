// Pages as the site shows them: links out of docs/ lead to GitHub, angle brackets are text, and all
// code looks alike.
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

/** Tags that pages use. Anything else in angle brackets is text, such as `<script>` in an explanation. */
const KNOWN_TAG = /^<(?:br\s*\/?|!--[\s\S]*--)>\s*$/;

/** A plugin of markdown-it: a page cannot break the site by words that look like HTML. */
export function plainText(markdown) {
  const render = (tokens, at) => {
    const { content } = tokens[at];
    return KNOWN_TAG.test(content) ? content : markdown.utils.escapeHtml(content);
  };
  markdown.renderer.rules.html_inline = render;
  markdown.renderer.rules.html_block = render;
}

/** A plugin of markdown-it: indented code becomes a block that scrolls, also by the keyboard. */
export function indentedCode(markdown) {
  markdown.renderer.rules.code_block = (tokens, at, ...others) => {
    tokens[at].info = "text";
    return markdown.renderer.rules.fence(tokens, at, ...others);
  };
}
