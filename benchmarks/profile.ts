// Where the time of a log() goes, by stage: self time of the sampling profiler, once the compiler
// has settled. Functions of Node count for the stage that calls them.
//
//   npm run bench -- profile
import { type Profiler, Session } from "node:inspector/promises";
import { AuditLogger, EncryptionManager, FileStorage, Signer } from "@ai-audit/core";
import { inProcesses, median, type Subject } from "./support/processes.ts";
import { INTERACTION } from "./support/interaction.ts";
import { publish } from "./support/table.ts";

const ROUNDS = process.env["BENCH_QUICK"] === "1" ? 1 : 3;
const CALLS = 20_000;

/** A stage and the files, or functions of Node, whose time is its own; the first match counts. */
const STAGES: readonly (readonly [stage: string, where: RegExp])[] = [
  ["collector", /^\(garbage collector\)/],
  ["waiting for the disk", /^\(idle\)/],
  ["signature", /seal\/signer|seal\/note/],
  ["tree", /seal\//],
  ["encryption", /keys\//],
  ["content hashes", /format\/content/],
  ["canonical JSON", /format\/canonical/],
  ["fields", /format\/fields|capture\/(interaction|fields|context|run-scope|active-trace)/],
  ["draft", /capture\//],
  ["line", /format\//],
  ["write and sync", /storage\/file|storage\/time-limit|files\.ts/],
  ["segment and lane", /storage\//],
  ["logger", /log\//],
];

async function profiled(calls: number, work: () => Promise<void>): Promise<Record<string, number>> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: 200 });
  await session.post("Profiler.start");
  await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  return byStage(profile, calls);
}

/** Microseconds a call of each stage. */
function byStage({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile, calls: number) {
  const parents = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const places = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => [id, `${functionName} ${url}`]),
  );
  const stageOf = (id: number): string => {
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const place = places.get(at) ?? "";
      const isOurs = place.includes("packages/core/") || place.startsWith("(");
      const [stage] = (isOurs && STAGES.find(([, where]) => where.test(place))) || [];
      if (stage !== undefined) return stage;
    }
    return "promises and Node itself";
  };
  const found: Record<string, number> = {};
  for (const [at, id] of samples.entries()) {
    const stage = stageOf(id);
    found[stage] = (found[stage] ?? 0) + (timeDeltas[at] ?? 0) / calls;
  }
  return found;
}

function subject(inFlight: number, options: { signed?: true; encrypted?: true }): Subject {
  return async (path) => {
    const signer = options.signed && (await Signer.generate("bench"));
    const encryption = options.encrypted && new EncryptionManager();
    encryption?.getKey();
    const storage = new FileStorage({ path, durability: "fsync", ...(signer && { signer }) });
    const logger = new AuditLogger(storage, {
      storeContent: true,
      ...(encryption && { encryption }),
    });
    const work = async (): Promise<void> => {
      let left = CALLS;
      const lane = async (): Promise<void> => {
        for (; left > 0; left -= 1) await logger.log(INTERACTION);
      };
      await Promise.all(Array.from({ length: inFlight }, lane));
    };
    await work();
    const found = await profiled(CALLS, work);
    await logger.close();
    return found;
  };
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  "alone, signed": subject(1, { signed: true }),
  "64 in flight, signed": subject(64, { signed: true }),
  "64 in flight, signed, encrypted": subject(64, { signed: true, encrypted: true }),
};

const measured = await inProcesses(import.meta.filename, SUBJECTS, ROUNDS);
const names = Object.keys(SUBJECTS);
const stages = [...STAGES.map(([stage]) => stage), "promises and Node itself"];
publish({
  title: "Where the time of a log() goes",
  about:
    'Self time of the main thread by stage, µs an entry, `durability: "fsync"`, in a process that is warm.',
  columns: ["stage", ...names],
  rows: stages.map((stage) => [
    stage,
    ...names.map((name) =>
      median((measured.get(name) ?? []).map((found) => found[stage] ?? 0)).toFixed(1),
    ),
  ]),
});
