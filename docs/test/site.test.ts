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
/** One page of each kind. */
const KINDS = ["index", "tutorial/11-verifying", "concepts/index", "guides/servers", "cli", "s3"];
const LINKS = sections().flatMap(({ items }) => items.map(({ link }) => link.slice(1)));

interface Visit {
  readonly ids: readonly string[];
  readonly links: readonly string[];
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
      const headers = { "content-type": type, "content-encoding": "gzip" };
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

  async function visit(link: string): Promise<Visit> {
    const page = await newPage();
    const complaints: string[] = [];
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
    await page.goto(`${base}/${link}.html`, { waitUntil: "networkidle" });
    const found = await page.evaluate<Pick<Visit, "ids" | "links">>(`({
      ids: [...document.querySelectorAll("[id]")].map(({ id }) => id),
      links: [...document.querySelectorAll("a")].map(({ href }) => href),
    })`);
    await page.close();
    return { ...found, complaints, bytes };
  }

  it("has pages that load without complaint and lead to each other", async () => {
    const visits = new Map<string, Visit>();
    const waiting = LINKS.values();
    const visitor = async (): Promise<void> => {
      for (const link of waiting) visits.set(`/${link}.html`, await visit(link));
    };
    await Promise.all([visitor(), visitor(), visitor(), visitor()]);
    const dead = [...visits].flatMap(([from, { links }]) =>
      links
        .map((href) => new URL(href, `${base}${from}`))
        .filter((url) => url.origin === base)
        .filter(({ pathname, hash }) => {
          const path = pathname.endsWith("/") ? `${pathname}index.html` : pathname;
          const target = visits.get(path);
          const id = decodeURIComponent(hash.slice(1));
          return target === undefined || (id !== "" && !target.ids.includes(id));
        })
        .map(({ pathname, hash }) => `${from} → ${pathname}${hash}`),
    );
    expect(dead).toEqual([]);
    expect(
      [...visits].flatMap(([from, { complaints }]) => complaints.map((one) => [from, one])),
    ).toEqual([]);
    const tooLarge = [...visits].filter(([page, { bytes }]) => bytes > maxBytesOf(page));
    expect(tooLarge.map(([from, { bytes }]) => [from, bytes])).toEqual([]);
  });

  it.each(KINDS)("has nothing serious for axe on %s, in light and dark", async (link) => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await newPage({ colorScheme });
      await page.goto(`${base}/${link}.html`, { waitUntil: "networkidle" });
      await page.addScriptTag({ path: require.resolve("axe-core/axe.min.js") });
      expect(await seriousFindings(page)).toEqual([]);
      await page.close();
    }
  });

  it.each(["rotate key", "GDPR", "SIGTERM", "stream"])("finds %s by its search", async (words) => {
    const page = await newPage();
    await page.goto(`${base}/index.html`, { waitUntil: "networkidle" });
    await page.locator(".DocSearch-Button").click();
    await page.locator("#localsearch-input").fill(words);
    await page.locator("#localsearch-list a").first().waitFor();
    expect(await page.locator("#localsearch-list a").count()).toBeGreaterThan(0);
    await page.close();
  });
});

/** Rule and place of each finding that keeps somebody from reading. */
function seriousFindings(page: Page): Promise<readonly string[]> {
  // The library is in the page alone, so it is called by a string.
  return page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 160))))`);
}
