// `node log-through-faults.ts <folder> <pem> <every>`, with the shim loaded: logs to a new
// directory again and again, each time with a fault at the next call on it, until the work makes no
// more calls than that. Prints one JSON line a try.
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { AuditError, AuditLogger, FileStorage, Signer } from "@ai-audit/core";

const [folder = "", pem = "", every = "1"] = process.argv.slice(2);
const signer = Signer.fromPem("faults", readFileSync(pem, "utf8"));
const told = process.env["FAULT_TOLD"] ?? "";
const HANG_MS = 400;
const FAULTS: Readonly<Record<string, string>> = {
  EIO: "5",
  ENOSPC: "28",
  EDQUOT: "122",
  EMFILE: "24",
  "short write": "short",
  [`hang of ${HANG_MS} ms`]: `hang:${HANG_MS}`,
};

/** Pauses of the event loop beyond a timer's 5 ms. */
let pauses: number[] = [];
let last = performance.now();
setInterval(() => {
  pauses.push(performance.now() - last - 5);
  last = performance.now();
}, 5).unref();

let plan = 0;
for (const [name, fault] of Object.entries(FAULTS)) {
  for (let nth = 1; nth < 200; nth += Number(every)) {
    plan += 1;
    const path = join(folder, `log-${plan}`);
    mkdirSync(path, { mode: 0o700 });
    rmSync(told, { force: true });
    pauses = [];
    process.env["FAULT_PLAN"] = `${plan} ${nth} ${fault} ${path}`;
    const acknowledged: string[] = [];
    const refused: Record<string, number> = {};
    const count = (error: unknown): void => {
      const code = AuditError.isInstance(error) ? error.code : String(error);
      refused[code] = (refused[code] ?? 0) + 1;
    };
    const logger = new AuditLogger(new FileStorage({ path, signer, rotationSizeMb: 0.01 }));
    for (let round = 0; round < 4; round += 1) {
      const calls = Array.from({ length: 4 }, (_, n) =>
        logger.log({ input: `${round} ${n}`, output: "x".repeat(700) }),
      );
      for (const result of await Promise.allSettled(calls)) {
        if (result.status === "fulfilled") acknowledged.push(result.value);
        else count(result.reason);
      }
    }
    await logger.close().catch(count);
    delete process.env["FAULT_PLAN"];
    const happened = existsSync(told);
    const sorted = pauses.toSorted((a, b) => b - a);
    const longest = sorted[0] ?? 0;
    const p999 = sorted[Math.floor(sorted.length / 1000)] ?? 0;
    console.log(
      JSON.stringify({ name, nth, path, acknowledged, refused, longest, p999, happened }),
    );
    if (!happened) break;
  }
}
