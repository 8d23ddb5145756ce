// The judgement of a log after a fault: nothing lost, nothing twice, and no false word of the
// verifier.
import { existsSync } from "node:fs";
import { AuditLogger, verifyLog } from "@ai-audit/core";
import type { Row } from "./row.ts";

export interface Judgement {
  readonly lost: number;
  readonly duplicated: number;
  readonly falseVerdicts: number;
  readonly findings: readonly string[];
}

/**
 * Reads and verifies a directory that no one tampered with. Exit codes 0 and 2 are right; 3 is
 * where there is no log, and then nothing may have been acknowledged.
 */
export async function judgeLog(
  path: string,
  acknowledged: readonly string[],
  vkey: string,
): Promise<Judgement> {
  const seen = new Set<string>();
  let returned = 0;
  if (existsSync(path)) {
    await using logger = new AuditLogger(path);
    for await (const { id } of logger.entries()) {
      seen.add(id);
      returned += 1;
    }
  }
  const missing = acknowledged.filter((id) => !seen.has(id));
  const { exitCode, verdict, files } = await verifyLog(path, { trustedKeys: [vkey] });
  const isFalse = exitCode === 1 || (exitCode === 3 && seen.size > 0);
  const worst = files.filter(({ state }) =>
    ["TAMPERED", "FORK", "ROLLBACK", "MISSING"].includes(state),
  );
  return {
    lost: missing.length,
    duplicated: returned - seen.size,
    falseVerdicts: isFalse ? 1 : 0,
    findings: [
      ...(missing.length > 0 ? [`${missing.length} lost, the first ${missing[0]}`] : []),
      ...(returned > seen.size ? [`${returned - seen.size} returned twice`] : []),
      ...(isFalse
        ? [
            `${verdict}: ${worst.map(({ file, problems }) => `${file}: ${problems[0]?.message}`).join("; ")}`,
          ]
        : []),
    ],
  };
}

/** Adds judgements up; keeps the first findings. */
export class Tally {
  tries = 0;
  acknowledged = 0;
  lost = 0;
  duplicated = 0;
  falseVerdicts = 0;
  readonly findings: string[] = [];

  add(judgement: Judgement, about: string): void {
    this.tries += 1;
    this.lost += judgement.lost;
    this.duplicated += judgement.duplicated;
    this.falseVerdicts += judgement.falseVerdicts;
    for (const finding of judgement.findings) this.find(`${about}: ${finding}`);
  }

  /** The row of the table. */
  row(fault: string, caller: string): Row {
    const { tries, acknowledged, lost, duplicated, falseVerdicts, findings } = this;
    return { fault, tries, acknowledged, lost, duplicated, falseVerdicts, caller, findings };
  }

  find(finding: string): void {
    if (this.findings.length < 20) this.findings.push(finding);
  }
}
