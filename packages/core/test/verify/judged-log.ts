// A log under judgement: its directory, its key, and short ways to alter and verify it.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach } from "vitest";
import { Signer } from "../../src/seal/signer.ts";
import { type VerifyOptions, verifyLog } from "../../src/log/verify-log.ts";
import type { Verification } from "../../src/verify/verification.ts";
import { NOW } from "./log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

export const TODAY = "audit_20261123.jsonl";
export const TODAY_1 = "audit_20261123_001.jsonl";
export const YESTERDAY = "audit_20261122.jsonl";
export const EARLIER = "audit_20261121.jsonl";

export const signer = await Signer.generate("bank-prod");
export const trusted = { trustedKeys: [signer.vkey], now: NOW };
export const KEY = signer.vkey.split("+", 2).join("+");

/** The verdict, with a word for the newest sealed time. */
export function spell({ verdict }: Verification): string {
  return verdict.replace(/newest sealed time \S+Z/, "newest sealed time TIME");
}

export let directory: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
});

export function todayAt(time: string): VerifyOptions {
  return { ...trusted, now: new Date(`2026-11-23T${time}Z`) };
}

export async function states(options: VerifyOptions = trusted): Promise<Record<string, string>> {
  const { files } = await verifyLog(directory, options);
  return Object.fromEntries(files.map(({ file, state }) => [file, state]));
}

export async function linesOf(file: string): Promise<string[]> {
  return (await readFile(join(directory, file), "utf8")).split("\n").slice(0, -1);
}

export async function rewrite(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(join(directory, file), lines.map((line) => `${line}\n`).join(""));
}

export function problemsOf(
  { files }: Verification,
  file: string,
): Verification["files"][number]["problems"] {
  return files.find((other) => other.file === file)?.problems ?? [];
}
