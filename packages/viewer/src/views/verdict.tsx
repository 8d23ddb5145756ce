// A verification in full: the verdict's words, file by file, and what the log records of itself.
import type { FileVerification, Verification } from "@ai-audit/core/verify";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { formatCount, formatTime } from "../data/format.ts";
import type { FactView } from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { toneOf } from "../data/verdict-facts.ts";
import { Chip, Empty } from "./parts.tsx";

/** The page. */
export function VerdictPage({
  result,
  facts,
}: {
  readonly result: Verification;
  readonly facts: readonly FactView[];
}): JSX.Element {
  const bad = result.files.filter(({ state }) => toneOf(state) !== "good");
  const [isWhole, setWhole] = useState(false);
  const shown = isWhole || bad.length === 0 ? result.files : bad;
  return (
    <>
      <section class="card">
        <h3>In the verifier's words</h3>
        <ul class="clauses">
          {shownLine(result.verdict)
            .split("; ")
            .map((clause) => (
              <li key={clause}>{clause}</li>
            ))}
        </ul>
        <p class="note">
          The same as <code>ai-audit verify</code>. A page proves nothing about itself: an auditor
          runs the command.
        </p>
      </section>
      <section class="card">
        <div class="card-head">
          <h3>Files</h3>
          {bad.length > 0 && (
            <button type="button" class="button" onClick={() => setWhole(!isWhole)}>
              {isWhole ? `Only the ${bad.length} with a finding` : `All ${result.files.length}`}
            </button>
          )}
        </div>
        <div class="scroll-x">
          <table class="figures files">
            <thead>
              <tr>
                <th>file</th>
                <th>state</th>
                <th class="number">entries</th>
                <th class="number">leaves</th>
                <th>signed by</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((file) => (
                <FileRows key={file.file} file={file} />
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <section class="card">
        <h3>What the log records about itself</h3>
        {facts.length === 0 ? (
          <Empty>No loss, removal, hold, erasure or call without an end.</Empty>
        ) : (
          <div class="scroll-x">
            <table class="figures">
              <thead>
                <tr>
                  <th>time (UTC)</th>
                  <th>kind</th>
                  <th>fact</th>
                  <th>recorded in</th>
                </tr>
              </thead>
              <tbody>
                {facts.map(({ at, kind, text, file }) => (
                  <tr key={`${at}${text}`}>
                    <td class="time">{at.includes("T") ? formatTime(at) : at}</td>
                    <td>{kind}</td>
                    <td class="wrap">{shownLine(text)}</td>
                    <td class="mono">{shownLine(file)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
}

function FileRows({
  file: { file, state, entries, leaves, signedBy, problems, remarks },
}: {
  readonly file: FileVerification;
}): JSX.Element {
  return (
    <>
      <tr>
        <td class="mono">{shownLine(file)}</td>
        <td>
          <Chip tone={toneOf(state)}>{state}</Chip>
        </td>
        <td class="number">{formatCount(entries)}</td>
        <td class="number">{formatCount(leaves)}</td>
        <td class="mono quiet">{shownLine(signedBy ?? "–")}</td>
      </tr>
      {problems.map((problem) => (
        <tr key={`${problem.line}${problem.message}`} class="finding">
          <td colSpan={5}>
            <Chip tone={toneOf(problem.state)}>{problem.state}</Chip>{" "}
            {problem.line > 0 && (
              <span>
                line {formatCount(problem.line)}
                {problem.lastLine !== undefined && ` to ${formatCount(problem.lastLine)}`}:{" "}
              </span>
            )}
            {shownLine(problem.message)}{" "}
            {problem.entryId !== undefined && (
              <a href={`/entry/${encodeURIComponent(problem.entryId)}`}>
                entry {shownLine(problem.entryId)}
              </a>
            )}
          </td>
        </tr>
      ))}
      {remarks.map((remark) => (
        <tr key={remark} class="finding">
          <td colSpan={5} class="quiet">
            {shownLine(remark)}
          </td>
        </tr>
      ))}
    </>
  );
}
