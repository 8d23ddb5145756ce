// The documentation site: `pnpm run docs` while writing, `pnpm run docs:build` for .vitepress/dist.
import { defineConfig } from "vitepress";
import { sections } from "./pages.ts";
import { indentedCode, plainText, repositoryLinks } from "./markdown.mjs";

const menu = sections();

export default defineConfig({
  title: "ai-audit",
  description: "The audit log for LLM applications in TypeScript.",
  lang: "en",
  cleanUrls: false, // the pages work from any file server, and from a folder on disk behind one
  lastUpdated: false,
  metaChunk: true, // titles and menu are fetched once, not with every page
  router: { prefetchLinks: false }, // a page loads itself alone
  markdown: {
    config: (markdown) => markdown.use(repositoryLinks).use(plainText).use(indentedCode),
    theme: { light: "github-light-high-contrast", dark: "github-dark-high-contrast" },
  },
  head: [["link", { rel: "icon", href: "data:," }]], // no request for an icon
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3] },
    nav: menu.map(({ text, items }) => ({ text, link: items[0].link })),
    sidebar: menu,
    docFooter: { prev: "Before", next: "Next" },
    externalLinkIcon: true,
  },
  vite: {
    define: { __VUE_OPTIONS_API__: "false" }, // the theme does not use it: 5 kB less on every page
    build: { chunkSizeWarningLimit: 2_000 }, // the search index; it loads when search opens
  },
});
