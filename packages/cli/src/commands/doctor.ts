// ai-audit doctor: examines settings, keys and log, and names remedies.
import { safeLine } from "@ai-audit/core/format";
import type { Command } from "commander";
import { type Finding, examineLocation } from "../doctor/examine-location.ts";
import { EXIT } from "../failure.ts";
import { addLocationArgument } from "../log/location.ts";
import type { Style } from "../output/output.ts";
import { padTo } from "../output/width.ts";
import type { Session } from "../session.ts";

export function define(command: Command, session: Session): void {
  addLocationArgument(command)
    .description(
      "Examines settings, keys, permissions, disk space, clock, files and retention, and names a remedy for each problem. In a bucket (also that of AUDIT_ARCHIVE) it examines versioning, Object Lock, lifecycle rules, encryption at rest and the rights of the credentials, and changes nothing. It does not verify the log: `verify` does. The exit code is 1 when something is wrong.",
    )
    .action((location: string | undefined, { json }: { readonly json?: true }) =>
      doctor(location, json, session),
    );
}

async function doctor(
  given: string | undefined,
  json: true | undefined,
  session: Session,
): Promise<void> {
  const findings = await examineLocation(given, session);
  if (findings.some(({ state }) => state === "wrong")) session.exitCode = EXIT.nothing;
  if (json) return session.out.json(findings);
  for (const finding of findings) await print(finding, session);
}

const WIDTH = 12;
const STYLES: Record<Finding["state"], Style> = { good: "green", look: "yellow", wrong: "red" };

async function print({ about, state, message, remedy }: Finding, { out }: Session): Promise<void> {
  await out.line(
    `${out.style(STYLES[state], padTo(state, 5))}  ${padTo(about, WIDTH)}  ${safeLine(message)}`,
  );
  if (remedy !== undefined)
    await out.line(`${" ".repeat(WIDTH + 9)}${out.style("dim", "→")} ${safeLine(remedy)}`);
}
