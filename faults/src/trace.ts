// The system calls of a process on its files, recorded by strace.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const CALLS =
  "openat,open,write,pwrite64,writev,pwritev,fdatasync,fsync,unlink,unlinkat,rmdir,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,ftruncate,close";

/** A moment of a call: where another thread came between, its begin and its end are two. */
export interface Step {
  readonly kind: "begin" | "end" | "whole";
  /** Of the call: the same for its begin and its end. */
  readonly call: number;
  readonly name: string;
  /** The arguments as strace prints them. */
  readonly args: string;
  /** The result; absent at its begin. */
  readonly result?: number;
}

/** Runs a program under strace; gives its steps in their order. `file` holds the recording. */
export function record(
  command: readonly string[],
  file: string,
  env: Readonly<Record<string, string>> = {},
): { readonly steps: Step[]; readonly output: string } {
  const output = execFileSync(
    "strace",
    ["-f", "-y", "-xx", "-s", "4000000", "-o", file, "-e", `trace=${CALLS}`, ...command],
    { encoding: "utf8", env: { ...process.env, ...env } },
  );
  return { steps: parse(readFileSync(file, "utf8")), output };
}

function parse(text: string): Step[] {
  const steps: Step[] = [];
  const unfinished = new Map<string, { readonly call: number; readonly head: string }>();
  let calls = 0;
  for (const line of text.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      const head = rest.slice(0, -"<unfinished ...>".length);
      calls += 1;
      unfinished.set(thread, { call: calls, head });
      const [, name = "", args = ""] = /^(\w+)\((.*)$/.exec(head) ?? [];
      steps.push({ kind: "begin", call: calls, name, args });
      continue;
    }
    const [resumed, tail = ""] = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest) ?? [];
    const begun = resumed === undefined ? undefined : unfinished.get(thread);
    if (resumed !== undefined && !begun) continue;
    const whole = begun ? begun.head + tail : rest;
    const [match, name = "", args = "", result = ""] =
      /^(\w+)\((.*)\)\s*=\s*(-?\d+)/.exec(whole) ?? [];
    if (match === undefined) continue;
    if (begun) unfinished.delete(thread);
    else calls += 1;
    const call = begun?.call ?? calls;
    steps.push({ kind: begun ? "end" : "whole", call, name, args, result: Number(result) });
  }
  return steps;
}

/** The strings among arguments, unescaped. */
export function stringsIn(args: string): Buffer[] {
  return [...args.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, text = ""]) =>
    Buffer.from(text.replaceAll("\\x", ""), "hex"),
  );
}

/** The descriptor that a call begins with. */
export function descriptorIn(args: string): number {
  return Number(/^\s*(\d+)/.exec(args)?.[1] ?? -1);
}
