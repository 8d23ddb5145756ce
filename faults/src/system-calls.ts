// Errors, short writes and hangs at each system call of the write path in turn, by a library that
// is loaded before libc.
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Signer } from "@ai-audit/core";
import { judgeLog, Tally } from "./judge.ts";
import type { Row } from "./row.ts";

const SHIM = fileURLToPath(new URL("shim.c", import.meta.url));
const CHILD = fileURLToPath(new URL("children/log-through-faults.ts", import.meta.url));

interface Try {
  readonly name: string;
  readonly nth: number;
  readonly path: string;
  readonly acknowledged: readonly string[];
  readonly refused: Readonly<Record<string, number>>;
  /** Pauses of the event loop in milliseconds: the longest, and the 99.9th percentile. */
  readonly longest: number;
  readonly p999: number;
  readonly happened: boolean;
}

/** `every`: a fault at one of so many calls. */
export async function systemCalls({ every }: { readonly every: number }): Promise<Row[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "ai-audit-calls-")));
  try {
    const library = join(folder, "shim.so");
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl", "-lpthread"]);
    const signer = await Signer.generate("faults");
    const pem = join(folder, "pem");
    writeFileSync(pem, signer.toPem(), { mode: 0o600 });
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=ai-audit-source", CHILD, folder, pem, `${every}`],
      {
        env: { ...process.env, LD_PRELOAD: library, FAULT_TOLD: join(folder, "told") },
        maxBuffer: 2 ** 28,
      },
    );
    let control = 0;
    const tallies = new Map<
      string,
      { tally: Tally; refused: Map<string, number>; longest: number }
    >();
    for (const line of stdout.trimEnd().split("\n")) {
      const done: Try = JSON.parse(line);
      if (!done.happened) {
        control = Math.max(control, done.p999); // the work made fewer calls
        continue;
      }
      const kept = tallies.get(done.name) ?? { tally: new Tally(), refused: new Map(), longest: 0 };
      tallies.set(done.name, kept);
      kept.longest = Math.max(kept.longest, done.longest);
      kept.tally.acknowledged += done.acknowledged.length;
      for (const [code, count] of Object.entries(done.refused))
        kept.refused.set(code, (kept.refused.get(code) ?? 0) + count);
      kept.tally.add(
        await judgeLog(done.path, done.acknowledged, signer.vkey),
        `${done.name} at call ${done.nth}`,
      );
    }
    return [...tallies].map(([name, { tally, refused, longest }]) => {
      const codes = [...refused].map(([code, count]) => `${code} ×${count}`);
      const pause = `longest pause of the event loop ${Math.round(longest)} ms, without a fault ${Math.round(control)} ms (p99.9)`;
      const caller = [
        codes.length === 0 ? "nothing" : codes.join(", "),
        ...(name.startsWith("hang") ? [pause] : []),
      ];
      return tally.row(`${name}, at each call of the write path in turn`, caller.join("; "));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
