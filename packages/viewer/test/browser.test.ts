// `ai-audit view` in a real Chromium: every page by its links, in light and dark, and by keyboard.
// With AUDIT_SCREENSHOTS=DIR pictures of the pages are kept there; with AUDIT_SOAK=1 the log has
// 200,000 entries.
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { times } from "@ai-audit/test-support/soak";
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
const ENTRIES = times(400, 200_000);
const PICTURES = process.env["AUDIT_SCREENSHOTS"];

describe.skipIf(isLeftOut("chromium"))("the viewer in a browser", { timeout: 240_000 }, () => {
  let place: string;
  let log: BusyLog;
  let viewer: Awaited<ReturnType<typeof startedViewer>>;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    place = await sharedDirectory();
    log = await writeBusyLog(place, ENTRIES, 8);
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
  }, 600_000);

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
        await page.evaluate(`axe.run({ selectors: false }).then(({ violations }) => violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 200))))`),
      );
    }
    await page.emulateMedia({ colorScheme: null });
    return found;
  }

  async function picture(name: string, of: Page = page): Promise<void> {
    if (PICTURES === undefined) return;
    await mkdir(PICTURES, { recursive: true });
    await of.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
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
    await picture(name);
  });

  it("answers which calls were blocked, and why", async () => {
    await page.getByRole("navigation").getByRole("link", { name: "Overview" }).click();
    await page.locator(".tile", { hasText: "Blocked" }).click();
    await page.waitForURL(/blocked=1/);
    const row = page.locator(".list .row:not(.list-head)").first();
    await row.locator("a").waitFor();
    expect(await row.textContent()).toMatch(/blocked(?:jailbreak attempt|an account number)/);
    await row.locator("a").click();
    await page.getByText("In the provider's own words").or(page.getByText("not passed")).waitFor();
    await picture("blocked");
  });

  it("answers which action of an agent nobody decided on", async () => {
    await page.getByRole("navigation").getByRole("link", { name: "Reviews" }).click();
    await page.getByRole("link", { name: "Waiting" }).click();
    const row = page.locator("tbody tr").first();
    await row.filter({ hasText: "waiting" }).waitFor();
    expect(await row.textContent()).toContain("payments");
    await page.getByRole("link", { name: /calls? of (?:a tool|tools)/ }).click();
    await page.waitForURL(/undecided=1/);
    const call = page.locator(".list .row:not(.list-head)").first();
    await call.locator("a").waitFor();
    expect(await call.textContent()).toContain("execute_tool");
  });

  it("answers whether a time can be trusted: files, losses and silence of that time", async () => {
    const coverage = page.getByRole("region", { name: "Coverage" });
    await page.goto(new URL("/?since=2026-11-02&until=2026-11-05", viewer.url).href);
    await coverage.filter({ hasText: "all as they were sealed" }).waitFor();
    expect(await coverage.textContent()).toMatch(/4 files of this time.*1 entry lost.*13:00/);
    await page.goto(new URL("/?since=2026-11-06&until=2026-11-06", viewer.url).href);
    await coverage.filter({ hasText: "1 file of this time" }).waitFor();
    expect(await coverage.textContent()).toContain("No loss on record");
  });

  it("finds a person by name, and compares two entries by keyboard", async () => {
    await page.goto(new URL("/people", viewer.url).href);
    await page.getByLabel("Name of the person").fill("customer-2");
    await page.keyboard.press("Enter");
    await page.locator("tbody tr").nth(1).waitFor({ state: "detached" });
    await page.locator(`tbody a[href^="/person/"]`).click();
    await page.getByText("key id").waitFor();
    await page.goto(new URL("/search?outcome=ok", viewer.url).href);
    await page.locator(`.page a[href^="/entry/"]`).first().waitFor();
    for (const key of ["j", "c", "j", "c"]) await page.keyboard.press(key);
    await page.waitForURL(/\/compare\?a=.+&b=.+/);
    await page.locator("tr.differs").first().waitFor();
    expect(await page.locator("tr.differs th").allTextContents()).toContain("inputHash");
    await picture("comparison");
  });

  it("holds the visible rows of a list alone, and reaches the oldest entry, and the next newer one by keyboard", async () => {
    await page.goto(new URL("/search", viewer.url).href);
    await page.locator(`.page a[href^="/entry/"]`).first().waitFor();
    expect(await page.locator(".list .row").count()).toBeLessThan(80);
    await page.evaluate(
      `{ const list = document.querySelector(".list"); list.scrollTop = list.scrollHeight; }`,
    );
    await page.locator(".list .row a", { hasText: "2026-11-02 0" }).first().waitFor();
    await page.locator(".list .row a").last().click();
    await page.waitForURL(/\/entry\//);
    const oldest = page.url();
    await page.locator(".entry-page").waitFor();
    await page.keyboard.press("k");
    await page.waitForURL((url) => url.href !== oldest);
    expect(page.url()).toContain("/entry/");
  });

  it("shows at first sight that a log was altered", async () => {
    const directory = join(place, "altered");
    await cp(log.directory, directory, { recursive: true });
    const [file = ""] = (await readdir(directory)).filter((name) => name.endsWith(".jsonl"));
    const text = await readFile(join(directory, file), "utf8");
    await writeFile(join(directory, file), text.replace('"outcome":"ok"', '"outcome":"no"'));
    const altered = await startedViewer({ ...log, directory });
    await altered.ready;
    const other = await (await browser.newContext()).newPage();
    await other.goto(altered.url);
    const banner = other.getByRole("alert");
    await banner.waitFor();
    expect(await banner.textContent()).toContain("Do not rely on this log");
    const colour = await other.evaluate(
      `getComputedStyle(document.querySelector('[role="alert"]')).backgroundColor`,
    );
    const [red = 0, green = 0, blue = 0] =
      String(colour)
        .match(/[\d.]+/g)
        ?.map(Number) ?? [];
    expect(red).toBeGreaterThan(2 * (green + blue));
    await picture("altered", other);
    await other.goto(new URL("/search?marked=1", altered.url).href);
    await other.locator(".row.marked", { hasText: "TAMPERED" }).first().waitFor();
    await picture("altered-entries", other);
    await other.setViewportSize({ width: 400, height: 800 });
    await other.locator("a.verdict.bad").waitFor();
    await picture("altered-narrow", other);
    await other.context().close();
    await altered.close();
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
