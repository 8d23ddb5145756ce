// The script of audit.html. The same text runs in the page, where it shows the entries, and in a
// worker, where it verifies them. Nothing from the data becomes markup: only text nodes are made.
import type { PageData } from "../data.ts";
import { answerRequests, type Answer, type Request } from "./worker.ts";
import { contentSections, facts, type Row, rowOf, searchText } from "./entries.ts";
import { VirtualTable } from "./table.ts";
import type { EntryVerdict, PageVerdict } from "./verifier.ts";

function startPage(): void {
  const source = document.currentScript?.textContent ?? "";
  const data = byId("audit-data").textContent;
  const worker = new Worker(URL.createObjectURL(new Blob([source])));
  const page = new Page((vkeys) => {
    const request: Request = { data, vkeys };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker, not a window
    worker.postMessage(request);
  });
  worker.addEventListener("message", ({ data: answer }: MessageEvent<Answer>) => {
    page.take(answer);
  });
  worker.addEventListener("error", () => {
    page.take({ kind: "failed", message: "This browser cannot verify: its worker did not start." });
  });
  page.start();
}

/** The page and what it shows. */
class Page {
  readonly #verify: (vkeys: readonly string[]) => void;
  readonly #table: VirtualTable;
  #rows: readonly Row[] = [];
  #verdicts: readonly EntryVerdict[] = [];

  constructor(verify: (vkeys: readonly string[]) => void) {
    this.#verify = verify;
    this.#table = new VirtualTable(byId("list"), (row) => {
      this.#show(row);
    });
  }

  start(): void {
    byId("key-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const keys = field("key")
        .value.split(/\s+/)
        .filter((text) => text !== "");
      this.#say("wait", "Verifying …", "");
      this.#verify(keys);
    });
    field("find").addEventListener("input", () => {
      this.#filter();
    });
    field("only").addEventListener("change", () => {
      this.#filter();
    });
    addEventListener("beforeprint", () => {
      this.#table.showAll();
    });
    addEventListener("afterprint", () => {
      this.#table.showVisible();
    });
    this.#say("wait", "Verifying …", "");
    this.#verify([]);
  }

  take(answer: Answer): void {
    if (answer.kind === "progress") {
      this.#say("wait", "Verifying …", `${count(answer.verified)} entries so far`);
    } else if (answer.kind === "failed") {
      this.#say(
        answer.isOfKey ? "open" : "bad",
        answer.isOfKey ? "No such key" : "ALTERED",
        answer.message,
      );
    } else {
      this.#verdicts = answer.verdict.entries;
      if (this.#rows.length === 0) this.#rows = answer.data.entries.map(rowOf);
      this.#describe(answer.data, answer.verdict);
      this.#judge(answer.verdict);
      this.#filter();
    }
  }

  #describe({ made, selection, unproven, version }: PageData, { named }: PageVerdict): void {
    const about: [string, string][] = [
      ["Entries", count(this.#rows.length)],
      ["First", this.#rows[0]?.time ?? "–"],
      ["Last", this.#rows.at(-1)?.time ?? "–"],
      ["Selected by", selection],
      ["Left out, unproven", count(unproven)],
      ["Made", `${made} by ai-audit ${version}`],
      ["Checkpoints name", named.join(", ") || "no key: the log is not signed"],
    ];
    byId("facts").replaceChildren(
      ...about.flatMap(([name, value]) => [el("dt", name), el("dd", value)]),
    );
  }

  #judge({ entries, provenBy }: PageVerdict): void {
    const altered = entries.flatMap(({ state, problem }, index) =>
      state === "altered" ? [{ row: this.#rows[index], problem: problem ?? "" }] : [],
    );
    const proven = entries.filter(({ state }) => state === "proven").length;
    const [first] = altered;
    if (first !== undefined) {
      const others = altered.length === 1 ? "" : ` (and ${count(altered.length - 1)} more)`;
      this.#say("bad", "ALTERED", `Entry ${first.row?.id ?? "?"}: ${first.problem}${others}.`);
    } else if (entries.length === 0) {
      this.#say("open", "Nothing to prove", "There is no entry in this page.");
    } else if (proven === entries.length) {
      const words = entries.length === 1 ? "The entry is" : `All ${count(proven)} entries are`;
      this.#say(
        "good",
        "Proven",
        `${words} as sealed by ${provenBy.join(", ")}. This page does not show whether other entries exist.`,
      );
    } else if (entries.every(({ state }) => state === "unsigned")) {
      this.#say(
        "open",
        "Not signed",
        "The entries fit their trees, which anybody could have written.",
      );
    } else {
      const signed =
        proven === 0
          ? "These are signed by no key that you gave."
          : `${count(proven)} are sealed by ${provenBy.join(", ")}, the others by no key that you gave.`;
      this.#say(
        "open",
        "Consistent, not proven",
        `The entries fit their checkpoints. ${signed} Have the key from the log’s owner, by another way than this file.`,
      );
    }
  }

  #say(mood: "wait" | "good" | "open" | "bad", word: string, text: string): void {
    const verdict = byId("verdict");
    verdict.className = mood;
    verdict.replaceChildren(el("strong", word), el("span", text));
  }

  #filter(): void {
    const wanted = field("find").value.toLowerCase();
    const only = field("only").value;
    const shown = this.#rows.filter(
      (row, index) =>
        (only === "" || row.outcome === only || this.#verdicts[index]?.state === only) &&
        (wanted === "" || searchText(row).includes(wanted)),
    );
    byId("shown").textContent =
      shown.length === this.#rows.length
        ? `${count(shown.length)} entries`
        : `${count(shown.length)} of ${count(this.#rows.length)} entries`;
    this.#table.show(shown, (row) => this.#verdicts[row.index]?.state ?? "unknown-key");
  }

  #show(row: Row): void {
    const verdict = this.#verdicts[row.index];
    const list = el("dl", "");
    for (const [name, value] of facts(row)) list.append(el("dt", name), el("dd", value));
    const state = el(
      "p",
      verdict?.state === "altered"
        ? `ALTERED: ${verdict.problem ?? ""}`
        : WORDS[verdict?.state ?? "unknown-key"],
    );
    state.className = `state ${verdict?.state ?? ""}`;
    const line = document.createElement("details");
    const summary = el("summary", "The line as it was sealed");
    line.append(summary, el("pre", row.line));
    const detail = byId("detail");
    detail.replaceChildren(
      el("h2", `Entry ${row.id}`),
      state,
      list,
      ...contentSections(row).flatMap(({ title, blocks }) => [
        el("h3", title),
        ...blocks.map(({ role, text }) => {
          const block = el("div", "");
          block.className = "message";
          if (role !== "") block.append(el("b", role));
          block.append(el("pre", text));
          return block;
        }),
      ]),
      line,
    );
    detail.hidden = false;
    detail.focus();
  }
}

const WORDS: Readonly<Record<EntryVerdict["state"], string>> = {
  proven: "Proven: as it was sealed.",
  altered: "Altered.",
  "unknown-key": "Consistent, and signed by no key that you gave.",
  unsigned: "Consistent, and not signed.",
};

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no ${id}`);
  return found;
}

function field(id: string): HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement {
  const found = byId(id);
  if (
    found instanceof HTMLInputElement ||
    found instanceof HTMLTextAreaElement ||
    found instanceof HTMLSelectElement
  )
    return found;
  throw new Error(`${id} is no field`);
}

function el(name: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

if (typeof document === "undefined") answerRequests();
else startPage();
