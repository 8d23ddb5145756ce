// log() beside pino (sync destination) on the same entry, 1 KB in + 1 KB out, in one run.
//
//   npm run bench
//
// pino writes a line and promises nothing; log() promises that the entry is on disk and sealed. The
// ratio says what that costs; `os` durability is the like-for-like row.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AuditLogger, EncryptionManager, FileStorage, Signer } from "@ai-audit/core";
import { pino } from "pino";

const ROUNDS = 5;
const text = (seed: string): string => seed.repeat(Math.ceil(1024 / seed.length)).slice(0, 1024);
const interaction = {
  input: text("What is the capital of France? "),
  output: text("Paris is the capital of France. "),
  provider: "openai",
  model: "gpt-4o-mini",
  conversationId: "conv-1",
  latencyMs: 180.5,
  inputTokens: 256,
  outputTokens: 256,
  metadata: { user_id: "u-17" },
};

interface Subject {
  readonly name: string;
  open(directory: string): { log: () => Promise<unknown> | void; close: () => Promise<void> };
}

const encryption = new EncryptionManager();
encryption.getKey();
const signer = await Signer.generate("bench");

function auditLog(
  name: string,
  durability: "fsync" | "os",
  options: { signed?: boolean; encrypted?: boolean },
): Subject {
  return {
    name,
    open: (path) => {
      const storage = new FileStorage({ path, durability, ...(options.signed && { signer }) });
      const logger = new AuditLogger(storage, {
        storeContent: true,
        ...(options.encrypted && { encryption }),
      });
      return { log: () => logger.log(interaction), close: () => logger.close() };
    },
  };
}

const PINO: Subject = {
  name: "pino, sync",
  open: (directory) => {
    const destination = pino.destination({ dest: join(directory, "pino.log"), sync: true });
    const log = pino({}, destination);
    let closed = false;
    return {
      log: () => log.info(interaction),
      close: async () => {
        if (closed) return;
        closed = true;
        destination.flushSync();
        destination.end();
      },
    };
  },
};
const SUBJECTS = [
  auditLog("log(), os", "os", {}),
  auditLog("log(), fsync", "fsync", {}),
  auditLog("log(), fsync, signed", "fsync", { signed: true }),
  auditLog("log(), fsync, signed, encrypted", "fsync", { signed: true, encrypted: true }),
];

type Log = () => Promise<unknown> | void;

interface Pattern {
  readonly entries: number;
  readonly run: (log: Log, entries: number, close: () => Promise<void>) => Promise<void>;
}

/** Ways to call: one after the other, 64 in flight, or all at once and then close. */
const PATTERNS: Readonly<Record<string, Pattern>> = {
  sequential: {
    entries: 400,
    run: async (log, entries) => {
      for (let n = 0; n < entries; n += 1) await log();
    },
  },
  "64 in flight": {
    entries: 8000,
    run: async (log, entries) => {
      let left = entries;
      const lane = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await log();
        }
      };
      await Promise.all(Array.from({ length: 64 }, lane));
    },
  },
  "fire, then close": {
    entries: 8000,
    run: async (log, entries, close) => {
      const logged: unknown[] = [];
      for (let n = 0; n < entries; n += 1) logged.push(log());
      await close(); // waits for every one of them
      await Promise.all(logged); // and none was refused
    },
  },
};

/** Microseconds per entry: wall clock and CPU of this process, all threads. */
interface Figures {
  readonly wallUs: number;
  readonly cpuUs: number;
}

async function measure(subject: Subject, pattern: keyof typeof PATTERNS): Promise<Figures> {
  const { entries, run } = PATTERNS[pattern] ?? { entries: 0, run: async () => undefined };
  const directory = mkdtempSync(join(tmpdir(), "ai-audit-bench-"));
  try {
    const { log, close } = subject.open(directory);
    const cpu = process.cpuUsage();
    const start = performance.now();
    await run(log, entries, close);
    await close(); // again where the pattern did already
    const wallUs = ((performance.now() - start) * 1000) / entries;
    const { user, system } = process.cpuUsage(cpu);
    return { wallUs, cpuUs: (user + system) / entries };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

console.log(
  `Node ${process.version}; medians of ${ROUNDS} rounds, each subject beside pino in every round\n`,
);
const row = (...cells: string[]): void =>
  console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(34) : cell.padStart(14))).join(""));
for (const pattern of Object.keys(PATTERNS)) {
  row(pattern, "µs wall", "µs CPU", "entries/s", "wall / pino", "CPU / pino");
  const figures = new Map<string, Figures[]>();
  for (let round = -1; round < ROUNDS; round += 1) {
    for (const subject of [PINO, ...SUBJECTS]) {
      const measured = await measure(subject, pattern);
      if (round >= 0) figures.set(subject.name, [...(figures.get(subject.name) ?? []), measured]); // round -1 warms up
    }
  }
  const peer = figures.get(PINO.name) ?? [];
  for (const [name, own] of figures) {
    const wall = median(own.map(({ wallUs }) => wallUs));
    const cpu = median(own.map(({ cpuUs }) => cpuUs));
    const ratio = (key: keyof Figures): string =>
      `${median(own.map((f, at) => f[key] / (peer[at]?.[key] ?? Number.NaN))).toFixed(1)}×`;
    row(
      name,
      wall.toFixed(1),
      cpu.toFixed(1),
      Math.round(1e6 / wall).toLocaleString("en"),
      ratio("wallUs"),
      ratio("cpuUs"),
    );
  }
  console.log();
}
