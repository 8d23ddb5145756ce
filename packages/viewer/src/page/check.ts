// Checks an audit.html: takes its data, ignores its script, and compares everything else with the
// page that this version makes of the same data.
import { checkProof, type ExitCode, formatTlogProof, type ProofCheck } from "@ai-audit/core/verify";
import { type PageData, type PageEntry, parsePageData } from "./data.ts";
import { DATA_BEGIN, DATA_END, renderPage } from "./page.ts";
import { VERSION } from "../version.ts";

/** A verdict on one entry of a page, or on the page itself. */
export interface PageCheck {
  readonly exitCode: ExitCode;
  readonly verdict: string;
}

/**
 * The verdicts on a page: one for each entry, and one for the page where it is not the page that
 * this version makes of its data. A script that was changed shows what it wants, whatever the data
 * are.
 *
 * @param trustedKeys `vkey`s of the keys that may have signed, or `vkey@from..to` for one that is
 * trusted for a time.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when a trusted key is malformed.
 */
export function* checkPage(
  text: string,
  trustedKeys: readonly string[],
  options: { readonly trustedBy?: string } = {},
): Generator<PageCheck, void, void> {
  const data = dataOf(text);
  if (data === undefined) {
    yield {
      exitCode: 1,
      verdict: "TAMPERED: the data of this page cannot be read as it was written",
    };
    return;
  }
  if (renderPage(data) !== text) yield otherPage(data);
  const seen = new Set<string>();
  for (const entry of data.entries) {
    const { exitCode, verdict, entryId } = checkEntry(entry, data, trustedKeys, options);
    if (entryId === undefined && exitCode !== 1) {
      yield { exitCode: 1, verdict: "TAMPERED: a line of this page is no entry" };
    } else if (entryId !== undefined && seen.has(entryId)) {
      yield { exitCode: 1, verdict: `TAMPERED: entry ${entryId} is in this page twice` };
    } else {
      yield { exitCode, verdict: exitCode === 1 ? `${verdict} (${idOf(entry.line)})` : verdict };
    }
    if (entryId !== undefined) seen.add(entryId);
  }
}

/** The data of a page; undefined where they are not there exactly once. */
function dataOf(text: string): PageData | undefined {
  const begin = text.indexOf(DATA_BEGIN);
  const end = text.indexOf(DATA_END, begin);
  if (begin === -1 || end === -1 || text.includes(DATA_BEGIN, begin + 1)) return undefined;
  return parsePageData(text.slice(begin + DATA_BEGIN.length, end));
}

function otherPage({ version }: PageData): PageCheck {
  return version === VERSION
    ? {
        exitCode: 1,
        verdict: `TAMPERED: script or markup of this page are not those of ai-audit ${VERSION}: do not believe what it shows in a browser`,
      }
    : {
        exitCode: 2,
        verdict: `UNCHECKED: script and markup of this page are of another version than ${VERSION}; only its data were checked`,
      };
}

function checkEntry(
  { line, index, checkpoint, path }: PageEntry,
  { checkpoints, nodes }: PageData,
  trustedKeys: readonly string[],
  options: { readonly trustedBy?: string },
): ProofCheck {
  const proof = formatTlogProof({
    extra: Buffer.from(line),
    index,
    path: path.map((place) => Buffer.from(nodes[place] ?? "", "base64")),
    note: checkpoints[checkpoint] ?? "",
  });
  return checkProof(proof, trustedKeys, options);
}

function idOf(line: string): string {
  return /^\{"id":"([0-9a-f-]{36})"/.exec(line.slice(0, 44))?.[1] ?? "a line without id";
}
