// The built site in a real Chromium: links, console, size, accessibility, search.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sections } from "../.vitepress/pages.ts";

const docs = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};
/** Over the network, with all that a page needs. The list of exports grows with the product. */
const maxBytesOf = (page: string): number => (page === "/api.html" ? 120_000 : 100_000);
/** The file of a page's address. */
function fileOf(link: string): string {
  if (link.endsWith(".html")) return link;
  return link.endsWith("/") ? `${link}index.html` : `${link}.html`;
}
/** One page of each kind. */
const KINDS = [
  "/index.html",
  "/tutorial/11-verifying.html",
  "/concepts/index.html",
  "/guides/servers.html",
  "/cli.html",
  "/format.html",
];
const PAGES = sections().flatMap(({ items }) => items.map(({ link }) => fileOf(link)));

interface Visit {
  readonly complaints: readonly string[];
  readonly bytes: number;
}

describe.skipIf(isLeftOut("chromium"))("the site", { timeout: 240_000 }, () => {
  let folder: string;
  let server: Server;
  let browser: Browser;
  let base: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ai-audit-site-"));
    const vitepress = join(docs, "node_modules/vitepress/bin/vitepress.js");
    await promisify(execFile)(process.execPath, [vitepress, "build", docs, "--outDir", folder]);
    server = createServer((request, response) => {
      const path = new URL(request.url ?? "/", "http://site").pathname;
      const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
      const type = TYPES[extname(file)] ?? "application/octet-stream";
      const headers = {
        "content-type": type,
        "content-encoding": "gzip",
        "cache-control": "no-store", // each page is weighed with all that it needs
      };
      readFile(file).then(
        (body) => {
          const bytes = gzipSync(body);
          return response.writeHead(200, { ...headers, "content-length": bytes.length }).end(bytes);
        },
        () => response.writeHead(404).end(),
      );
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    base = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    browser = await chromium.launch({
      executablePath: "/usr/bin/chromium",
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A new page that waits longer than a busy machine takes. */
  async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(180_000);
    return page;
  }

  /** Opens an address and waits until its program runs: all that it needs is loaded then. */
  async function open(path: string, page: Page): Promise<Page> {
    await page.goto(`${base}${path}`, { waitUntil: "load" });
    await page.waitForFunction("document.querySelector('#app').__vue_app__ !== undefined");
    return page;
  }

  /** Visits pages, one after the other, in one tab. */
  async function visit(paths: Iterable<string>, visits: Map<string, Visit>): Promise<void> {
    const page = await newPage();
    let complaints: string[] = [];
    let bytes = 0;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(base) && !request.url().startsWith("data:"))
        complaints.push(`asks ${request.url()}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
      bytes += Number(response.headers()["content-length"] ?? 0);
    });
    for (const path of paths) {
      complaints = [];
      bytes = 0;
      await open(path, page);
      const overflow = await page.evaluate<number>(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      if (overflow > 0) complaints.push(`is ${overflow} pixels wider than its window`);
      visits.set(path, { complaints, bytes });
    }
    await page.close();
  }

  // By the files: a browser under load can be asked before it has read the whole page.
  it("has pages whose links lead to a page and a heading that are there", async () => {
    const texts = new Map<string, string>();
    for (const path of PAGES) texts.set(path, await readFile(join(folder, path), "utf8"));
    const ids = new Map([...texts].map(([path, text]) => [path, new Set(idsIn(text))]));
    const dead = [...texts].flatMap(([from, text]) =>
      linksIn(text)
        .map((href) => new URL(href, `${base}${from}`))
        .filter((url) => url.origin === base)
        .filter(({ pathname, hash }) => {
          const target = ids.get(fileOf(pathname));
          return !(hash === "" ? target : target?.has(decodeURIComponent(hash.slice(1))));
        })
        .map(({ pathname, hash }) => `${from} → ${pathname}${hash}`),
    );
    expect(dead).toEqual([]);
    expect(linksIn(texts.get("/index.html") ?? "").length).toBeGreaterThan(PAGES.length);
  });

  it(
    "has pages that load without complaint, in less than 100 kB, and fit their window",
    { timeout: 600_000 },
    async () => {
      const visits = new Map<string, Visit>();
      const waiting = PAGES.values(); // both take from it
      await Promise.all([visit(waiting, visits), visit(waiting, visits)]);
      expect(
        [...visits].flatMap(([from, { complaints }]) => complaints.map((one) => [from, one])),
      ).toEqual([]);
      const tooLarge = [...visits].filter(([page, { bytes }]) => bytes > maxBytesOf(page));
      expect(tooLarge.map(([from, { bytes }]) => [from, bytes])).toEqual([]);
    },
  );

  it.each(KINDS)("has nothing serious for axe on %s, in light and dark", async (path) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await open(path, await newPage({ colorScheme }));
      await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
      expect(await seriousFindings(page)).toEqual([]);
      await page.close();
    }
  });

  it.each(["rotate key", "GDPR", "SIGTERM", "stream"])("finds %s by its search", async (words) => {
    const page = await open("/index.html", await newPage());
    await page.locator(".DocSearch-Button").click();
    await page.locator("#localsearch-input").fill(words);
    await page.locator("#localsearch-list a").first().waitFor();
    expect(await page.locator("#localsearch-list a").count()).toBeGreaterThan(0);
    await page.close();
  });
});

/** The ids of a page's elements. */
function idsIn(html: string): string[] {
  return [...html.matchAll(/<[a-z][^>]*? id="([^"]+)"/g)].map(([, id = ""]) => id);
}

/** The addresses of a page's links. */
function linksIn(html: string): string[] {
  const links = html.matchAll(/<a\b[^>]*? href="([^"]+)"/g);
  return [...links].map(([, href = ""]) => href.replaceAll("&amp;", "&"));
}

/** Rule and place of each finding that keeps somebody from reading. */
function seriousFindings(page: Page): Promise<readonly string[]> {
  // The library is in the page alone, so it is called by a string.
  return page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 160))))`);
}
