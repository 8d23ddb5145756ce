// `ai-audit view` in a real Chromium: every page by its links, in light and dark, and by keyboard.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBrowser } from "./support/browser.ts";
import { type BusyLog, writeBusyLog } from "./support/busy-log.ts";
import { buildBundle, startedViewer } from "./support/viewer.ts";

const require = createRequire(import.meta.url);
const AXE = require.resolve("axe-core/axe.min.js");
/** Views in the navigation, by their heading. */
const VIEWS = ["Overview", "Search", "Reviews", "Persons", "Compare", "Verdict"];
/** A busy machine is slow; nothing here waits for a time. */
const PATIENT = { timeout: 120_000 };

describe.skipIf(isLeftOut("chromium"))("the viewer in a browser", { timeout: 240_000 }, () => {
  let log: BusyLog;
  let viewer: Awaited<ReturnType<typeof startedViewer>>;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    log = await writeBusyLog(await sharedDirectory(), 400, 8);
    await buildBundle();
    viewer = await startedViewer(log);
    await viewer.ready;
    browser = await startBrowser();
    context = await browser.newContext();
    context.setDefaultTimeout(PATIENT.timeout);
    page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      const { origin } = new URL(viewer.url);
      if (!request.url().startsWith(origin)) complaints.push(`asks ${request.url()}`);
    });
    await page.goto(viewer.url);
    await page.getByRole("link", { name: "Overview" }).waitFor();
  }, 240_000);

  afterAll(async () => {
    await browser?.close();
    await viewer?.close();
  });

  /** Rules and places of findings that keep somebody from reading, in both colour schemes. */
  async function seriousFindings(): Promise<unknown> {
    const found: unknown[] = [];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      await page.evaluate(await readFile(AXE, "utf8")); // past the page's own policy
      found.push(
        await page.evaluate(`axe.run().then(({ violations }) => violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 200))))`),
      );
    }
    await page.emulateMedia({ colorScheme: null });
    return found;
  }

  it("says first what is proven", async () => {
    const banner = page.locator(".verdict").filter({ hasText: "Proven" }).first();
    await banner.waitFor();
    expect(await banner.textContent()).toContain("bank.example/assistant");
  });

  it.each(VIEWS)("shows %s, and axe finds nothing serious", async (name) => {
    await page.getByRole("navigation").getByRole("link", { name }).click();
    await page.locator(`nav a[aria-current="page"]`, { hasText: name }).waitFor();
    await page.locator(".page h2, .page h1, .verdict").first().waitFor();
    expect(await seriousFindings()).toEqual([[], []]);
  });

  it("leads from a blocked call to its entry, its conversation and back", async () => {
    await page.goto(new URL("/search?blocked=1", viewer.url).href);
    await page.locator(`.page a[href^="/entry/"]`).first().click();
    await page.waitForURL(/\/entry\//);
    await page.locator(".page", { hasText: "blocked" }).waitFor();
    expect(await seriousFindings()).toEqual([[], []]);
    await page.locator(`.page a[href^="/conversation/"]`).first().click();
    await page.waitForURL(/\/conversation\//);
    await page.goBack();
    await page.waitForURL(/\/entry\//);
  });

  it("shows an agent's run as a tree", async () => {
    await page.goto(new URL("/search?agent=payments", viewer.url).href);
    await page.locator(`.page a[href^="/entry/"]`).first().click();
    await page.locator(`.page a[href^="/run/"]`).first().click();
    await page.waitForURL(/\/run\//);
    await page.locator(".page", { hasText: "a person is asked to decide" }).waitFor();
    expect(await seriousFindings()).toEqual([[], []]);
  });

  it("is used by keyboard: / searches, j and k move, Enter opens, ? explains", async () => {
    await page.goto(new URL("/search", viewer.url).href);
    await page.locator(`.page a[href^="/entry/"]`).first().waitFor();
    await page.keyboard.press("/");
    await page.locator("#text:focus").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/entry\//);
    await page.keyboard.press("?");
    const help = page.getByRole("dialog");
    await help.waitFor();
    expect(await help.textContent()).toContain("next error");
  });

  it("complains of nothing, asks nobody else, and runs nothing of a hostile prompt", async () => {
    await page.goto(new URL("/search?text=script", viewer.url).href);
    await page.locator(".page").first().waitFor();
    expect(complaints).toEqual([]);
    expect(await page.evaluate(`"stolen" in globalThis || document.title.includes("owned")`)).toBe(
      false,
    );
  });
});
