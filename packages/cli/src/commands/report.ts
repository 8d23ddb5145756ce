// ai-audit report: figures, findings, and what a log shows of the requirements of a law or a standard.
import { readFile } from "node:fs/promises";
import { AuditError } from "@ai-audit/core";
import { type Command, Option } from "commander";
import { parseTime, TIME_FORMS } from "../arguments/times.ts";
import { EXIT, Failure, systemFailure } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { addOutputOption, withSink } from "../output/output-file.ts";
import { Progress } from "../output/progress.ts";
import type { Session } from "../session.ts";
import {
  addVerificationOptions,
  type VerificationFlags,
  verifyLocation,
} from "../verifying/verification.ts";
import { loadViewer, type Viewer } from "../viewer.ts";

const FORMATS = ["html", "md", "json", "oscal"] as const;

interface ReportFlags extends VerificationFlags {
  /** Milliseconds since the epoch. */
  readonly from?: number;
  readonly to?: number;
  readonly profile?: string;
  readonly format?: (typeof FORMATS)[number];
  readonly output?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addOutputOption(addVerificationOptions(addLocationArgument(command)))
    .description(
      "Verifies a log, counts what it records, and looks at each requirement of a profile: met, partly, not met, no case, or " +
        "not a matter of logs, with the evidence and its digest. Profiles: eu-ai-act, nist-800-53-au, aiuc-1, or the path of a " +
        "file of your own. The report holds no content. The exit code is the verdict of the verification, as for verify.",
    )
    .addOption(
      new Option("--from <time>", `begin of the period: ${TIME_FORMS}`).argParser((text) =>
        parseTime(text, "from", session.now()),
      ),
    )
    .addOption(
      new Option("--to <time>", "end of the period").argParser((text) =>
        parseTime(text, "to", session.now()),
      ),
    )
    .option("--profile <name>", "eu-ai-act, nist-800-53-au, aiuc-1, or the path of a profile")
    .addOption(
      new Option(
        "-f, --format <format>",
        "html: for a browser and for paper. md. json: all figures. oscal: an assessment-results document",
      )
        .choices(FORMATS)
        .default(undefined, "html, or json with --json"),
    )
    .action((location: string | undefined, flags: ReportFlags) =>
      reportOn(location, flags, session),
    );
}

async function reportOn(
  given: string | undefined,
  flags: ReportFlags,
  session: Session,
): Promise<void> {
  const { from, to, profile: name, output } = flags;
  const viewer = await loadViewer();
  const profile = name === undefined ? undefined : await readProfile(name, viewer);
  const { result: verification } = await verifyLocation(given, flags, session);
  const progress = new Progress(session, "reading", () => "");
  const { storage, location } = await openLog(given, session, progress);
  const made = await viewer.createReport(
    { storage, verification, location },
    {
      now: session.now(),
      ...(from !== undefined && { from: new Date(from) }),
      ...(to !== undefined && { to: new Date(to) }),
      ...(profile !== undefined && { profile }),
    },
  );
  progress.clear();
  const text = await written(made, flags.format ?? (flags.json ? "json" : "html"), viewer);
  await withSink(output, session.out, (sink) => sink.write(text));
  session.exitCode = verification.exitCode;
}

async function written(
  report: Awaited<ReturnType<Viewer["createReport"]>>,
  format: (typeof FORMATS)[number],
  { reportToHtml, reportToMarkdown, reportToOscal }: Viewer,
): Promise<string> {
  if (format === "html") return reportToHtml(report);
  if (format === "md") return reportToMarkdown(report);
  const document = format === "oscal" ? reportToOscal(report) : report;
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** A profile of the package, or of a file. @throws {Failure} for neither, and for a malformed one */
async function readProfile(
  name: string,
  { PROFILE_NAMES, loadProfile, parseProfile }: Viewer,
): Promise<Awaited<ReturnType<Viewer["loadProfile"]>>> {
  const known = PROFILE_NAMES.find((each) => each === name);
  if (known !== undefined) return loadProfile(known);
  const hint = `a profile is one of ${PROFILE_NAMES.join(", ")}, or the path of a file`;
  let text: string;
  try {
    text = await readFile(name, "utf8");
  } catch (error) {
    const failure = systemFailure(error, name);
    if (failure === undefined) throw error;
    throw new Failure(failure.exitCode, `--profile: ${failure.message}`, hint, { cause: error });
  }
  try {
    return parseProfile(text);
  } catch (error) {
    if (!AuditError.isInstance(error)) throw error;
    throw new Failure(EXIT.data, `${name}: ${error.message}`, "docs/report.md describes the file", {
      cause: error,
    });
  }
}
