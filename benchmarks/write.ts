// log() beside pino and the machine's floor, on the same entry of 1 KB + 1 KB: cold (the
// first 1,500 entries of a process) and warm.
//
//   npm run bench -- write
//
// pino writes a line and promises nothing; llm-audit-log chains its lines by HMAC and does not sync.
// log() promises that the entry is on disk and sealed. The floor is the least that this promise
// needs on this machine: JSON, two hashes of the content and one of the line, an id, one Ed25519
// signature, one hand-over to another thread and back, write(2) and, with fsync, fdatasync(2).
// Encrypted: AES-256-GCM and HMAC-SHA-256 of both contents, instead of their hashes.
import {
  createCipheriv,
  createHmac,
  createSecretKey,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign,
} from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { AuditLogger, EncryptionManager, FileStorage, Signer } from "@ai-audit/core";
import { createAuditLog } from "llm-audit-log";
import { pino } from "pino";
import { v7 } from "uuid";
import { INTERACTION } from "./support/interaction.ts";
import { inProcesses, medianOf, medianRatio, type Subject, timed } from "./support/processes.ts";
import { publish, times, us } from "./support/table.ts";

const COLD = 1500;
const isQuick = process.env["BENCH_QUICK"] === "1";
const WARM = isQuick ? 4000 : 16_000;
const FIRED = isQuick ? 20_000 : 60_000;
const ROUNDS = isQuick ? 1 : 3;

interface Open {
  readonly log: () => Promise<unknown> | void;
  readonly close: () => Promise<void>;
}

type Opener = (directory: string) => Promise<Open>;

function auditLog(
  durability: "fsync" | "os",
  options: { signed?: boolean; encrypted?: boolean } = {},
): Opener {
  return async (path) => {
    const signer = options.signed ? await Signer.generate("bench") : undefined;
    const encryption = options.encrypted ? new EncryptionManager() : undefined;
    encryption?.getKey();
    const storage = new FileStorage({ path, durability, ...(signer && { signer }) });
    // 60,000 entries that nobody awaits are more than the default's 64 MiB.
    const logger = new AuditLogger(storage, {
      storeContent: true,
      maxPendingBytes: 2 ** 30,
      ...(encryption && { encryption }),
    });
    return { log: () => logger.log(INTERACTION), close: () => logger.close() };
  };
}

const PEERS: Readonly<Record<string, Opener>> = {
  "pino, sync": async (directory) => {
    const destination = pino.destination({ dest: join(directory, "pino.log"), sync: true });
    const log = pino({}, destination);
    return { log: () => log.info(INTERACTION), close: async () => destination.flushSync() };
  },
  "llm-audit-log": async (directory) => {
    const log = createAuditLog({
      storagePath: join(directory, "audit.jsonl"),
      hmacSecret: "a secret of this benchmark",
      redactPii: false,
    });
    const { input, output, model, latencyMs, inputTokens, outputTokens, metadata } = INTERACTION;
    const tokens = { input: inputTokens, output: outputTokens };
    const entry = {
      input,
      output,
      model,
      provider: "openai",
      latencyMs,
      tokens,
      metadata,
    } as const;
    return { log: () => log.log(entry), close: () => log.close() };
  },
};

const key = createSecretKey(randomBytes(32));
const hashed = (input: string, output: string) => ({
  input,
  output,
  input_hash: hash("sha256", input),
  output_hash: hash("sha256", output),
});
const encrypted = (input: string, output: string) => ({
  input: encrypt(input),
  output: encrypt(output),
  input_hash: createHmac("sha256", key).update(input).digest("base64url"),
  output_hash: createHmac("sha256", key).update(output).digest("base64url"),
});
function encrypt(text: string): string {
  const iv = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", key, iv);
  const bytes = cipher.update(Buffer.from(text));
  cipher.final();
  return [iv, bytes, cipher.getAuthTag()].map((part) => part.toString("base64url")).join(".");
}

/** Lines that wait while one write runs share the next one, its signature and its sync. */
function floor(options: { sync?: boolean; signed?: boolean; encrypted?: boolean }): Opener {
  return async (directory) => {
    const write = promisify(fs.write);
    const sync = promisify(fs.fdatasync);
    const fd = fs.openSync(join(directory, "floor"), "a");
    const { privateKey } = generateKeyPairSync("ed25519");
    let lines: string[] = [];
    let writing: Promise<void> | undefined;
    const commit = async (): Promise<void> => {
      await Promise.resolve(); // all lines of this turn
      const bytes = Buffer.from(lines.join(""));
      lines = [];
      writing = undefined;
      if (options.signed) sign(null, bytes.subarray(0, 128), privateKey);
      await write(fd, bytes);
      if (options.sync) await sync(fd);
    };
    let last: Promise<void> = Promise.resolve();
    return {
      log: () => {
        const { input, output, ...rest } = INTERACTION;
        const contents = options.encrypted ? encrypted(input, output) : hashed(input, output);
        const line = `${JSON.stringify({ id: v7(), ...contents, ...rest })}\n`;
        hash("sha256", line);
        lines.push(line);
        writing ??= last = last.then(commit);
        return writing;
      },
      close: async () => {
        await last;
        fs.closeSync(fd);
      },
    };
  };
}

const FLOORS: Readonly<Record<string, Opener>> = {
  "floor, os": floor({}),
  "floor, os, signed": floor({ signed: true }),
  "floor, fsync, signed": floor({ signed: true, sync: true }),
  "floor, fsync, signed, encrypted": floor({ signed: true, sync: true, encrypted: true }),
};

const OWN: Readonly<Record<string, { readonly open: Opener; readonly floor: string }>> = {
  "log(), os": { open: auditLog("os"), floor: "floor, os" },
  "log(), os, signed": { open: auditLog("os", { signed: true }), floor: "floor, os, signed" },
  "log(), fsync, signed": {
    open: auditLog("fsync", { signed: true }),
    floor: "floor, fsync, signed",
  },
  "log(), fsync, signed, encrypted": {
    open: auditLog("fsync", { signed: true, encrypted: true }),
    floor: "floor, fsync, signed, encrypted",
  },
};

type Pattern = (log: Open["log"], calls: number) => Promise<void>;

const alone: Pattern = async (log, calls) => {
  for (let n = 0; n < calls; n += 1) await log();
};

const together: Pattern = async (log, calls) => {
  let left = calls;
  const lane = async (): Promise<void> => {
    for (; left > 0; left -= 1) await log();
  };
  await Promise.all(Array.from({ length: 64 }, lane));
};

function coldAndWarm(open: Opener, pattern: Pattern, warmCalls: number): Subject {
  return async (directory) => {
    const { log, close } = await open(directory);
    const cold = await timed(COLD, () => pattern(log, COLD));
    await pattern(log, warmCalls / 2); // the compiler goes on for tens of thousands of calls
    const warm = await timed(warmCalls, () => pattern(log, warmCalls));
    await close();
    return { cold: cold.cpuUs, warm: warm.cpuUs, wall: warm.wallUs };
  };
}

/** All entries at once, and then a wait for the last. Memory is the peak's growth. */
function fired(open: Opener): Subject {
  return async (directory) => {
    const { log, close } = await open(directory);
    await log();
    const before = process.memoryUsage.rss();
    const { cpuUs, wallUs } = await timed(FIRED, async () => {
      const written: unknown[] = [];
      for (let n = 0; n < FIRED; n += 1) written.push(log());
      await Promise.all(written);
      await close();
    });
    const peak = process.resourceUsage().maxRSS * 1024;
    return { cpu: cpuUs, wall: wallUs, bytes: (peak - before) / FIRED };
  };
}

const ALL = {
  ...PEERS,
  ...FLOORS,
  ...Object.fromEntries(Object.entries(OWN).map(([name, { open }]) => [name, open])),
};

const WAYS = [
  {
    title: "One call after another",
    about: "A web server's way: each call waits for its entry before the next one begins.",
    pattern: alone,
    warm: WARM / 4,
  },
  {
    title: "64 calls in flight",
    about: "Entries that wait together share a write, a signature and a sync.",
    pattern: together,
    warm: WARM,
  },
];

const subjects: Record<string, Subject> = {};
for (const { title, pattern, warm } of WAYS)
  for (const [name, open] of Object.entries(ALL))
    subjects[`${title}/${name}`] = coldAndWarm(open, pattern, warm);
for (const [name, open] of Object.entries(ALL)) subjects[`fired/${name}`] = fired(open);

const measured = await inProcesses(import.meta.filename, subjects, ROUNDS);

/** Cells of one figure: microseconds, and its ratio to the peer and to the floor. */
function rowsOf(way: string, figures: readonly string[], against: string): string[][] {
  const samples = (name: string) => measured.get(`${way}/${name}`) ?? [];
  return Object.keys(ALL).map((name) => {
    const own = samples(name);
    const base = OWN[name]?.floor;
    return [
      name,
      ...figures.map((figure) => us(medianOf(own, figure))),
      times(medianRatio(own, samples("pino, sync"), against)),
      base === undefined ? "" : times(medianRatio(own, samples(base), against)),
    ];
  });
}

for (const { title, about } of WAYS) {
  publish({
    title,
    about,
    columns: ["", "cold, µs CPU", "warm, µs CPU", "warm, µs wall", "CPU / pino", "CPU / floor"],
    rows: rowsOf(title, ["cold", "warm", "wall"], "warm"),
  });
}
publish({
  title: `${FIRED.toLocaleString("en")} calls at once, then a flush`,
  about: "Nobody awaits a single call. Memory is the growth of the peak, for one entry of 2 KB.",
  columns: ["", "µs CPU", "µs wall", "bytes an entry", "CPU / pino", "CPU / floor"],
  rows: rowsOf("fired", ["cpu", "wall", "bytes"], "cpu"),
});
