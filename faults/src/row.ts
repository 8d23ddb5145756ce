// A row of docs/faults.md: one fault, how often it was tried, and what came of it.

export interface Row {
  readonly fault: string;
  readonly tries: number;
  /** Entries whose `log()` had resolved. */
  readonly acknowledged: number;
  /** Acknowledged, and not returned by a reader. */
  readonly lost: number;
  /** Ids returned more than once. */
  readonly duplicated: number;
  /**
   * Verdicts of tampering, of a missing file or of a verifier that could not work, on a log nobody
   * touched.
   */
  readonly falseVerdicts: number;
  /** The errors and waits of the program that logs. */
  readonly caller: string;
  /** Findings in words, the first few. Empty where all is well. */
  readonly findings: readonly string[];
}

export function isClean({ lost, duplicated, falseVerdicts, findings }: Row): boolean {
  return lost + duplicated + falseVerdicts + findings.length === 0;
}

const HEAD = [
  "Fault",
  "Tried",
  "Acknowledged",
  "Lost",
  "Duplicated",
  "False verdicts",
  "What the caller saw",
];

/** The rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ fault, tries, acknowledged, lost, duplicated, falseVerdicts, caller }) => {
      const figures = [tries, acknowledged, lost, duplicated, falseVerdicts];
      return [fault, ...figures.map((figure) => figure.toLocaleString("en")), caller];
    },
  );
  const rule = HEAD.map((_, column) => (column > 0 && column < 6 ? "--:" : "---"));
  return [HEAD, rule, ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
