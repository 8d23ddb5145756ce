// ai-audit verify: is the log complete and unaltered?
import { setTimeout as sleep } from "node:timers/promises";
import type { FileVerification } from "@ai-audit/core/verify";
import { safeLine } from "@ai-audit/core/format";
import { type Command, Option } from "commander";
import { parseSeconds } from "../arguments/values.ts";
import { addLocationArgument } from "../log/location.ts";
import { formatCount } from "../output/format.ts";
import type { Output, Style } from "../output/output.ts";
import { Table } from "../output/table.ts";
import { problemText } from "../verifying/problem-text.ts";
import type { Session } from "../session.ts";
import { parseTime } from "../arguments/times.ts";
import { remedyOf, styledVerdict } from "../verifying/verdict-style.ts";
import {
  addVerificationOptions,
  type VerificationFlags,
  type VerifiedLocation,
  verifyLocation,
} from "../verifying/verification.ts";

interface VerifyFlags extends VerificationFlags {
  readonly files?: true;
  readonly watch?: number;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addVerificationOptions(addLocationArgument(command))
    .description(
      "Checks every byte of a log against its seals, the files against each other, and all of it against the keys, pins " +
        "and rules that you give. Keys found in the log, or in a settings file that was not named, are never trusted. The " +
        "exit code is the verdict: 0 proven, 1 altered or incomplete, 2 nothing wrong found but not proven, 3 the " +
        "verifier could not do its work.",
    )
    .addOption(
      new Option(
        "--since <time>",
        "read everything, and judge only the files of this UTC day and of later ones; the verdict counts " +
          "the older ones, and those of them that are not OK",
      ).argParser((text) => parseTime(text, "from", session.now())),
    )
    .option("--files", "list every file, not only those with a finding or remark")
    .option(
      "-w, --watch <seconds>",
      "verify again and again, and print each verdict that differs from the one before",
      parseSeconds,
    )
    .action(async (location: string | undefined, flags: VerifyFlags) => {
      const check = (): Promise<VerifiedLocation> => verifyLocation(location, flags, session);
      const first = await check();
      await print(first, flags, session);
      session.exitCode = first.result.exitCode;
      if (flags.watch !== undefined) await watch(first, check, flags.watch * 1000, flags, session);
    });
}

async function watch(
  first: VerifiedLocation,
  check: () => Promise<VerifiedLocation>,
  intervalMs: number,
  flags: VerifyFlags,
  session: Session,
): Promise<void> {
  for (let previous = first; ;) {
    await session.out.flush();
    await sleep(intervalMs);
    const next = await check();
    session.exitCode = next.result.exitCode;
    if (next.result.verdict !== previous.result.verdict) await print(next, flags, session);
    previous = next;
  }
}

async function print(
  { result, trust }: VerifiedLocation,
  flags: VerifyFlags,
  { out, log }: Session,
): Promise<void> {
  if (flags.json) return out.json(result);
  await out.line(styledVerdict(result, out));
  const files = flags.files ? result.files : result.files.filter(hasSomethingToSay);
  const remedy = remedyOf(
    result,
    result.files.some(({ state }) => state === "UNKNOWN_KEY"),
    trust.passedOver,
  );
  if (files.length > 0) await printFiles(files, flags.files === true, out);
  if (remedy !== undefined) await log.line(remedy);
}

async function printFiles(
  files: readonly FileVerification[],
  withRemarks: boolean,
  out: Output,
): Promise<void> {
  await out.line();
  await new Table<FileVerification>(out, [
    { title: "FILE", value: ({ file }) => file },
    { title: "STATE", value: ({ state }) => state, style: ({ state }) => STATE_STYLES[state] },
    { title: "ENTRIES", value: ({ entries }) => formatCount(entries), align: "right" },
    { title: "LEAVES", value: ({ leaves }) => formatCount(leaves), align: "right" },
    { title: "SIGNED BY", value: ({ signedBy = "-" }) => signedBy },
  ]).rows(files);
  for (const file of files) await printProblems(file, out);
  const remarks = files.flatMap(({ file, remarks: texts }) =>
    texts.map((text) => safeLine(`${file}: ${text}`)),
  );
  if (!withRemarks || remarks.length === 0) return;
  await out.line();
  for (const remark of remarks) await out.line(remark);
}

function hasSomethingToSay({ state }: FileVerification): boolean {
  return state !== "OK" && state !== "OPEN" && state !== "PRUNED" && state !== "ARCHIVED";
}

async function printProblems({ file, problems }: FileVerification, out: Output): Promise<void> {
  if (problems.length === 0) return;
  await out.line();
  for (const problem of problems) {
    await out.line(
      `${out.style(STATE_STYLES[problem.state], problem.state)} ${problemText(file, problem)}`,
    );
  }
}

const STATE_STYLES: Record<FileVerification["state"], Style> = {
  TAMPERED: "red",
  FORK: "red",
  ROLLBACK: "red",
  MISSING: "red",
  UNREADABLE: "yellow",
  UNCHECKED: "yellow",
  STALE: "yellow",
  UNANCHORED: "yellow",
  TORN_TAIL: "yellow",
  UNSEALED_TAIL: "yellow",
  UNKNOWN_VERSION: "yellow",
  FOREIGN: "yellow",
  UNKNOWN_KEY: "yellow",
  UNSIGNED: "yellow",
  UNCLOSED: "yellow",
  PRUNED: "dim",
  ARCHIVED: "dim",
  OPEN: "green",
  OK: "green",
};
