// audit.html in a real browser, and as `ai-audit check` sees it: whole, altered in many ways, hostile.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Signer } from "@ai-audit/core";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyPage } from "../../src/page/browser/verifier.ts";
import { checkPage } from "../../src/page/check.ts";
import { formatPageData, type PageData, type PageEntry } from "../../src/page/data.ts";
import { PAGE_SCRIPT_SHA256, renderPage } from "../../src/page/page.ts";
import { PAGE_SCRIPT } from "../../src/page/script.ts";
import { VERSION } from "../../src/version.ts";
import { pageScript } from "../../scripts/page-script.ts";
import { startBrowser } from "../support/browser.ts";
import { HOSTILE, pageDataOf, type PageLog, writePageLog } from "../support/page-log.ts";

let log: PageLog;
let data: PageData;
let directory: string;
let stranger: string;

beforeAll(async () => {
  directory = await sharedDirectory();
  log = await writePageLog(join(directory, "log"));
  data = await pageDataOf(log);
  stranger = (await Signer.generate("example.com/audit")).vkey;
});

/** The place of the entry that an alteration is about. */
const VICTIM = 6;

interface Alteration {
  readonly name: string;
  /** The altered text of the page. */
  readonly of: (data: PageData) => string;
  /** Whether the page can name the entry. */
  readonly names?: number;
  /** Seen by the check alone: a script cannot judge itself. */
  readonly isOfScript?: true;
}

function withEntry(change: (entry: PageEntry) => Partial<PageEntry>): (data: PageData) => string {
  return (whole) =>
    renderPage({
      ...whole,
      entries: whole.entries.map((entry, place) =>
        place === VICTIM ? { ...entry, ...change(entry) } : entry,
      ),
    });
}

function withNote(change: (note: string) => string): (data: PageData) => string {
  return (whole) =>
    renderPage({
      ...whole,
      checkpoints: whole.checkpoints.map((note, place) => (place === 0 ? change(note) : note)),
    });
}

/** Another character of base64 in the place of one. */
function flip(text: string, at: number): string {
  return text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
}

const ALTERATIONS: readonly Alteration[] = [
  {
    name: "one byte of an entry's output",
    of: withEntry(({ line }) => ({ line: line.replace("Answer", "answer") })),
    names: VICTIM,
  },
  {
    name: "an outcome",
    of: withEntry(({ line }) => ({ line: line.replace('"outcome":"ok"', '"outcome":"error"') })),
    names: VICTIM,
  },
  {
    name: "an actor",
    of: withEntry(({ line }) => ({ line: line.replace('"id":"ada"', '"id":"eve"') })),
    names: VICTIM,
  },
  {
    name: "a space within a line, which leaves the same JSON",
    of: withEntry(({ line }) => ({ line: line.replace('","', '", "') })),
    names: VICTIM,
  },
  {
    name: "an entry's id",
    of: withEntry(({ line }) => ({ line: line.replace(/^(\{"id":".{35})./, "$1x") })),
  },
  {
    name: "a line that is no entry",
    of: withEntry(() => ({ line: '{"type":"loss"}' })),
  },
  { name: "an index", of: withEntry(({ index }) => ({ index: index + 1 })), names: VICTIM },
  { name: "an index beyond the tree", of: withEntry(() => ({ index: 1e9 })), names: VICTIM },
  {
    name: "an audit path cut short",
    of: withEntry(({ path }) => ({ path: path.slice(0, -1) })),
    names: VICTIM,
  },
  {
    name: "an audit path with a node more",
    of: withEntry(({ path }) => ({ path: [...path, ...path.slice(-1)] })),
    names: VICTIM,
  },
  {
    name: "two nodes of an audit path in the other order",
    of: withEntry(({ path }) => ({ path: path.toReversed() })),
    names: VICTIM,
  },
  {
    name: "the checkpoint of another file",
    of: withEntry(({ checkpoint }) => ({ checkpoint: 1 - checkpoint })),
    names: VICTIM,
  },
  {
    name: "a node of the tree",
    of: (whole) =>
      renderPage({
        ...whole,
        nodes: whole.nodes.map((node, place) => (place === 0 ? flip(node, 3) : node)),
      }),
  },
  {
    name: "a node in another spelling of base64",
    of: (whole) =>
      renderPage({
        ...whole,
        nodes: whole.nodes.map((node, place) => (place === 0 ? node.replace("=", "") : node)),
      }),
  },
  {
    name: "an unused node",
    of: (whole) => renderPage({ ...whole, nodes: [...whole.nodes, "AAAA"] }),
  },
  {
    name: "an entry that is there twice",
    of: (whole) =>
      renderPage({ ...whole, entries: [...whole.entries, ...whole.entries.slice(3, 4)] }),
    names: 3,
  },
  {
    name: "the size in a checkpoint",
    of: withNote((note) => note.replace(/\n(\d+)\n/, "\n1$1\n")),
  },
  {
    name: "the root in a checkpoint",
    of: withNote((note) => flip(note, note.indexOf("\n", note.indexOf("\n") + 1) + 5)),
  },
  {
    name: "the origin of a checkpoint",
    of: withNote((note) => note.replace("/audit_", "/other_")),
  },
  { name: "a signature", of: withNote((note) => flip(note, note.length - 12)) },
  { name: "a key hash in a signature line", of: withNote((note) => flip(note, note.length - 90)) },
  { name: "no signature", of: withNote((note) => note.slice(0, note.lastIndexOf("\n\n") + 2)) },
  {
    name: "data in another spelling",
    of: (whole) => renderPage(whole).replace('{"format":', '{ "format":'),
  },
  { name: "data that are cut", of: (whole) => renderPage(whole).replace("]}]}<", "]}]<") },
  {
    name: "data with a member more",
    of: (whole) => renderPage(whole).replace('{"format":', '{"verdict":"proven","format":'),
  },
  {
    name: "a second element of data before the first",
    of: (whole) =>
      renderPage(whole).replace(
        "<body>",
        `<body><script type="application/json" id="audit-data">${formatPageData({ ...whole, entries: [], nodes: [], checkpoints: [] })}</script>`,
      ),
  },
  {
    name: "a script that always says proven",
    of: (whole) => renderPage(whole).replace('"ALTERED"', '"Proven"'),
    isOfScript: true,
  },
  {
    name: "a policy that lets other scripts run",
    of: (whole) => renderPage(whole).replace("default-src 'none'", "default-src *"),
    isOfScript: true,
  },
];

describe("checkPage()", () => {
  it("proves each entry of a page by the key given", () => {
    const results = [...checkPage(renderPage(data), [log.vkey])];
    expect(results).toHaveLength(log.ids.length);
    expect(new Set(results.map(({ exitCode }) => exitCode))).toEqual(new Set([0]));
    expect(results[0]?.verdict).toMatch(/^OK: .* sealed by example\.com\/audit\+/);
  });

  it("says that a page of another key's log is consistent, and not proven", () => {
    const codes = [...checkPage(renderPage(data), [stranger])].map(({ exitCode }) => exitCode);
    expect(new Set(codes)).toEqual(new Set([2]));
  });

  it.each(ALTERATIONS)("refuses $name", ({ of, names }) => {
    const text = of(data);
    expect(text).not.toBe(renderPage(data));
    const verdicts = [...checkPage(text, [log.vkey])];
    const worst = verdicts.filter(({ exitCode }) => exitCode === 1 || exitCode === 2);
    expect(worst.length).toBeGreaterThan(0);
    if (names === undefined) return;
    const id = /^\{"id":"(.{36})/.exec(data.entries[names]?.line ?? "")?.[1] ?? "?";
    expect(worst.map(({ exitCode, verdict }) => `${exitCode} ${verdict}`)).toEqual([
      expect.stringMatching(new RegExp(`^1 TAMPERED: .*${id}`)),
    ]);
  });

  it("says of a page of another version that its script was not compared", () => {
    const other = renderPage({ ...data, version: "9.9.9" });
    const [first, ...rest] = checkPage(other.replace('"ALTERED"', '"Proven"'), [log.vkey]);
    expect(first).toMatchObject({
      exitCode: 2,
      verdict: expect.stringContaining("of another version"),
    });
    expect(new Set(rest.map(({ exitCode }) => exitCode))).toEqual(new Set([0]));
  });
});

describe("verifyPage()", () => {
  it("hashes each node once, and proves what core proves", async () => {
    const { verdict } = await verifyPage(formatPageData(data), [log.vkey]);
    expect(new Set(verdict.entries.map(({ state }) => state))).toEqual(new Set(["proven"]));
    expect(verdict.provenBy).toEqual([log.vkey.split("+", 2).join("+")]);
  });

  it("refuses a key with a wrong character, and says so", async () => {
    await expect(verifyPage(formatPageData(data), [flip(log.vkey, 20)])).rejects.toThrow(
      /does not have its own hash|looks like/,
    );
  });
});

describe("the script of audit.html", () => {
  it("is what its sources make", async () => {
    expect(PAGE_SCRIPT).toBe(await pageScript());
  });

  it("is published by its hash", async () => {
    expect(renderPage(data)).toContain(`SHA-256 of the script: <code>${PAGE_SCRIPT_SHA256}</code>`);
    const docs = await readFile(new URL("../../../../docs/evidence.md", import.meta.url), "utf8");
    expect(docs.replaceAll(/ +/g, " ")).toContain(`| ${VERSION} | \`${PAGE_SCRIPT_SHA256}\` |`);
  });
});

describe.skipIf(isLeftOut("chromium"))("audit.html in Chromium", () => {
  let browser: Browser;
  let page: Page;
  const requests: string[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    page = await browser.newPage();
    page.on("request", (request) => requests.push(request.url()));
  });

  afterAll(() => browser.close());

  /** Opens a page from disk, gives the key, and returns the verdict and its mood. */
  async function openPage(text: string, vkey: string): Promise<{ mood: string; text: string }> {
    const path = join(directory, "audit.html");
    await writeFile(path, text);
    await page.goto(pathToFileURL(path).href);
    await page.locator("#verdict:not(.wait) strong").waitFor();
    await page.locator("#key").fill(vkey);
    await page.getByRole("button", { name: "Verify" }).click();
    await page.locator("#verdict:not(.wait) strong").waitFor();
    const verdict = page.locator("#verdict");
    return { mood: (await verdict.getAttribute("class")) ?? "", text: await verdict.innerText() };
  }

  it("opens from disk, and proves the entries by the key that the reader types", async () => {
    const verdict = await openPage(renderPage(data), log.vkey);
    expect(verdict.mood).toBe("good");
    expect(verdict.text).toContain(
      `All ${log.ids.length} entries are as sealed by example.com/audit+`,
    );
    expect(await page.locator("body").innerText()).toMatch(/^A page proves nothing about itself/);
    expect(requests.filter((url) => !/^(file|blob):/.test(url))).toEqual([]);
  });

  it("does not take another key of the same name", async () => {
    expect(await openPage(renderPage(data), stranger)).toMatchObject({ mood: "open" });
  });

  it("keeps hostile content as text", async () => {
    await openPage(renderPage(data), log.vkey);
    for (const prompt of HOSTILE) {
      const place = data.entries.findIndex(({ line }) => JSON.parse(line).input_content === prompt);
      await page.locator(".row").nth(place).click();
      const shown = await page.locator("#detail pre").first().textContent();
      expect(shown).toBe(
        prompt.replace("\u202E", "\\u202e").replace("\u2028", "\\u2028").replace("\0", "\\u0000"),
      );
    }
    expect(await page.title()).toBe("Evidence from an audit log");
    expect(await page.locator("script").count()).toBe(2);
  });

  it("finds entries by their text, and goes through them by keyboard", async () => {
    await openPage(renderPage(data), log.vkey);
    await page.locator("#find").fill("question 7");
    await expect.poll(() => page.locator("#shown").innerText()).toBe("1 of 24 entries");
    await page.locator("#list").press("j");
    await expect.poll(() => page.locator("#detail").innerText()).toContain("Question 7");
  });

  it.each(ALTERATIONS.filter(({ isOfScript }) => isOfScript === undefined))(
    "is not green with $name",
    async ({ of, names }) => {
      const verdict = await openPage(of(data), log.vkey);
      expect(verdict.mood).toMatch(/^(bad|open)$/);
      if (names === undefined) return;
      const id = /^\{"id":"(.{36})/.exec(data.entries[names]?.line ?? "")?.[1] ?? "?";
      expect(verdict).toEqual({ mood: "bad", text: expect.stringContaining(`Entry ${id}`) });
    },
  );
});
