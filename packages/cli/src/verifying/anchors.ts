// Options that name anchor logs and the parties that vouch for them.
import { readFileSync } from "node:fs";
import type { AnchorToProve, AnchorToVerify, ProofCheckOptions } from "@ai-audit/core/verify";
import { type Command, Option } from "commander";
import { collect, parseCount } from "../arguments/values.ts";
import { EXIT, Failure, systemFailure, usageFailure } from "../failure.ts";

/** The parties of the command line. */
export interface PartyFlags {
  readonly anchorKey: readonly string[];
  readonly witness: readonly string[];
  readonly tsa?: string;
  readonly quorum?: number;
}

/** Gives a command the keys of anchor logs, and the parties. `what` begins each description. */
export function addPartyOptions(command: Command, what: string): Command {
  return command
    .addOption(
      new Option("--anchor-key <vkey>", `${what}the anchor log's verification key; repeatable`)
        .default([], "none")
        .argParser(collect),
    )
    .addOption(
      new Option("--witness <vkey>", `${what}key of a C2SP witness; repeatable`)
        .default([], "none")
        .argParser(collect),
    )
    .option(
      "--tsa <file>",
      `${what}certificates in PEM that sign the tokens of time-stamping authorities`,
    )
    .option(
      "--quorum <count>",
      `${what}how many of these parties must vouch for a state (default: 1)`,
      parseCount,
    );
}

/** The parties for `checkProof`. */
export function partiesOf({ anchorKey, witness, tsa, quorum }: PartyFlags): ProofCheckOptions {
  return {
    anchorKeys: anchorKey,
    witnesses: witness,
    ...(tsa !== undefined && { tsa: readCertificates(tsa) }),
    ...(quorum !== undefined && { quorum }),
  };
}

/** The anchor logs at these places. The keys are in their order. */
export function anchorsAt(locations: readonly string[], flags: PartyFlags): AnchorToVerify[] {
  const { anchorKey, witness, tsa, quorum } = flags;
  if (locations.length !== anchorKey.length) {
    throw locations.length < anchorKey.length
      ? usageFailure(
          "there are more keys of anchor logs than anchor logs",
          "give --anchor LOCATION",
        )
      : usageFailure(
          "the anchor log's key is not given",
          "give --anchor-key VKEY for each --anchor, in the same order",
        );
  }
  const certificates = tsa === undefined ? undefined : readCertificates(tsa);
  return locations.map((location, index) => ({
    location,
    vkey: anchorKey[index] ?? "",
    witnesses: witness,
    ...(certificates !== undefined && { tsa: certificates }),
    ...(quorum !== undefined && { quorum }),
  }));
}

/** An anchor log that goes with evidence. */
export interface AnchorFlags {
  readonly anchor?: string;
  readonly anchorKey?: string;
}

/** Gives a command the anchor log that its evidence leads to. `what` begins each description. */
export function addAnchorOptions(command: Command, what: string): Command {
  return command
    .option(
      "--anchor <location>",
      `${what}add the proofs of this anchor log: they show by when an entry existed`,
    )
    .option("--anchor-key <vkey>", `${what}with --anchor: the anchor log's verification key`);
}

/** The anchor log of the command line. */
export function anchorOf({ anchor, anchorKey }: AnchorFlags): AnchorToProve | undefined {
  if (anchor === undefined && anchorKey === undefined) return undefined;
  if (anchor === undefined) throw usageFailure("no anchor log is given", "give --anchor LOCATION");
  if (anchorKey === undefined)
    throw usageFailure("the anchor log's key is not given", "give --anchor-key VKEY");
  return { location: anchor, vkey: anchorKey };
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const failure = systemFailure(error, path);
    if (failure === undefined) throw error;
    throw new Failure(EXIT.notVerified, failure.message, "certificates of the TSA, in PEM", {
      cause: error,
    });
  }
}
