// Power cuts: the recorded work is cut at every call, with everything that was not certain, without
// it, without each single change, with each pair of changes in the other order, and in random
// orders.
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  AuditDecryptError,
  AuditError,
  AuditLogger,
  EncryptionManager,
  FileKeyStore,
  FileStorage,
  Signer,
} from "@ai-audit/core";
import { testEntry } from "@ai-audit/core/testing";
import { judgeLog, Tally } from "./judge.ts";
import { type Pending, PowerModel, torn } from "./power-model.ts";
import { Random } from "@ai-audit/test-support/random";
import type { Row } from "./row.ts";
import { record, stringsIn } from "./trace.ts";
import { WORK_KEY } from "./work-key.ts";

const WORK = fileURLToPath(new URL("children/work.ts", import.meta.url));
const DAY_MS = 86_400_000;
/** In memory where that can be, or the verdicts wait for a disk. */
const FAST = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

export interface PowerCutOptions {
  readonly seed: number;
  /** Random orders beside all systematic cuts. */
  readonly orders: number;
  /** One of so many systematic cuts is tried. */
  readonly every: number;
  /** Threads of libuv's pool; with one, writers make their calls on a thread. @default 4 */
  readonly poolThreads?: number;
}

/** The program's output by the time of a cut. */
interface Said {
  readonly acknowledged: { readonly id: string; readonly subject: string }[];
  /** Acknowledgements at the time at which the erasure was asked for. */
  asked?: number;
  isErased: boolean;
}

export async function powerCuts({
  seed,
  orders,
  every,
  poolThreads = 4,
}: PowerCutOptions): Promise<Row[]> {
  const folder = realpathSync(mkdtempSync(join(FAST, "ai-audit-power-")));
  try {
    const root = join(folder, "disk");
    const signer = await Signer.generate("faults");
    await makeOldDays(join(root, "log"), signer);
    const snapshot = join(folder, "before");
    cpSync(root, snapshot, { recursive: true });
    writeFileSync(join(folder, "pem"), signer.toPem(), { mode: 0o600 });
    const { steps, output } = record(
      [
        process.execPath,
        "--conditions=ai-audit-source",
        WORK,
        join(root, "log"),
        join(root, "keys"),
        join(folder, "archive"),
        join(folder, "pem"),
      ],
      join(folder, "trace"),
      { UV_THREADPOOL_SIZE: String(poolThreads) },
    );
    if (!output.includes("CLOSED")) throw new Error(`the recorded work did not end: ${output}`);

    const random = new Random(seed);
    const judge = new CutJudge(root, join(folder, "cut"), signer.vkey);
    const cuts = new Tally();
    const chance = new Tally();
    const moments = steps.flatMap(({ kind }, at) => (kind === "begin" ? [] : [at]));
    const ordersAt = new Map<number, number>();
    for (let count = 0; count < orders; count += 1) {
      const at = random.pick(moments);
      ordersAt.set(at, (ordersAt.get(at) ?? 0) + 1);
    }
    const model = new PowerModel(root, snapshot);
    const said: Said = { acknowledged: [], isErased: false };
    let number = 0;
    for (const [at, step] of steps.entries()) {
      const newest = model.pending.at(-1);
      model.follow(step);
      if (step.name === "write" && step.kind !== "begin") hear(said, step.args);
      if (step.kind === "begin") continue;
      for (const changes of systematic(model.pending, model.pending.at(-1) !== newest)) {
        number += 1;
        if (number % every !== seed % every) continue;
        await judge.add(cuts, model, changes, said, `call ${at} (${step.name})`);
      }
      for (let order = 0; order < (ordersAt.get(at) ?? 0); order += 1)
        await judge.add(
          chance,
          model,
          anyOrder(model.pending, random),
          said,
          `call ${at}, seed ${seed}`,
        );
    }
    const caller = "nothing: the machine was off";
    for (const tally of [cuts, chance]) tally.acknowledged = said.acknowledged.length;
    return [
      cuts.row(
        "Power cut at each call of a trace: everything written, nothing unsynced, each change dropped, each pair swapped",
        caller,
      ),
      chance.row(
        "Power cut at a random call, with unsynced changes in a random order and a torn write",
        caller,
      ),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Every subset of the uncertain changes that a cut at this step can leave and no earlier one could:
 * with all of them, with none, and, where the step made a change, with each earlier one dropped,
 * and with the new one ahead of each. What is certain is in every subset.
 */
function* systematic(pending: readonly Pending[], isNew: boolean): Generator<readonly Pending[]> {
  const open = pending.filter(({ isCertain }) => !isCertain);
  yield pending;
  yield pending.filter(({ isCertain }) => isCertain);
  const newest = open.at(-1);
  if (!isNew || !newest) return;
  for (const dropped of open) yield pending.filter((change) => change !== dropped);
  for (const at of open.keys()) {
    const before = new Set(open.slice(0, at));
    yield pending.filter((change) => change.isCertain || before.has(change) || change === newest);
  }
}

function anyOrder(pending: readonly Pending[], random: Random): readonly Pending[] {
  const open = random.shuffled(pending.filter(({ isCertain }) => !isCertain));
  const kept = open.slice(0, random.below(open.length + 1));
  const last = kept.at(-1);
  if (last?.change.kind === "write")
    kept[kept.length - 1] = torn(
      last,
      random.below(last.change.data.length + 1),
      random.next() < 0.3,
    );
  return [...pending.filter(({ isCertain }) => isCertain), ...kept];
}

function hear(said: Said, args: string): void {
  if (!/^\s*1[<,]/.test(args)) return;
  for (const line of Buffer.concat(stringsIn(args)).toString().split("\n")) {
    const [, id, subject = ""] = /^ACK (\S+) (\d)$/.exec(line) ?? [];
    if (id !== undefined) said.acknowledged.push({ id, subject });
    if (line === "ERASING") said.asked = said.acknowledged.length;
    if (line === "ERASED") said.isErased = true;
  }
}

/** Judges images, each once however many cuts lead to it. */
class CutJudge {
  readonly #root: string;
  readonly #target: string;
  readonly #vkey: string;
  readonly #judged = new Map<string, number>();

  constructor(root: string, target: string, vkey: string) {
    this.#root = root;
    this.#target = target;
    this.#vkey = vkey;
  }

  async add(
    tally: Tally,
    model: PowerModel,
    changes: readonly Pending[],
    said: Said,
    about: string,
  ): Promise<void> {
    const image = model.image(changes);
    const digest = `${image.digest()} ${said.isErased}`;
    if (this.#judged.get(digest) === said.acknowledged.length) {
      tally.tries += 1;
      return;
    }
    this.#judged.set(digest, said.acknowledged.length);
    image.write(this.#root, this.#target);
    const ids = said.acknowledged.map(({ id }) => id);
    tally.add(await judgeLog(join(this.#target, "log"), ids, this.#vkey), about);
    for (const finding of await this.#contents(said)) tally.find(`${about}: ${finding}`);
  }

  /** Of entries that were acknowledged: what is not erased opens, and what is erased does not. */
  async #contents(said: Said): Promise<string[]> {
    const keys = join(this.#target, "keys");
    if (!existsSync(keys)) return said.acknowledged.length > 0 ? ["the key store is gone"] : [];
    const encryption = new EncryptionManager(WORK_KEY, {
      subjects: new FileKeyStore({ path: keys }),
    });
    await using logger = new AuditLogger(join(this.#target, "log"), { encryption });
    const acknowledged = new Map(
      said.acknowledged.map(({ id, subject }, at) => [id, { subject, at }]),
    );
    const findings: string[] = [];
    for await (const entry of logger.entries()) {
      const known = acknowledged.get(entry.id);
      if (!known) continue;
      const wasErased = said.isErased && known.subject === "1" && known.at < (said.asked ?? 0);
      try {
        logger.content(entry);
        if (wasErased) findings.push(`${entry.id} opens after its subject was erased`);
      } catch (error) {
        if (!(error instanceof AuditDecryptError) && !AuditError.isInstance(error)) throw error;
        const isErased = error.code === "AUDIT_SUBJECT_ERASED";
        if (!isErased || known.subject !== "1") findings.push(`${entry.id}: ${error.message}`);
      }
    }
    return findings;
  }
}

/**
 * Segments of days that are past: the clean-up removes some, and the shipper the copies of others.
 */
async function makeOldDays(path: string, signer: Signer): Promise<void> {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const days of [7, 6, 3, 2]) {
    const storage = new FileStorage({ path, signer });
    for (let count = 0; count < 6; count += 1) {
      const { id, line } = testEntry(Date.now() - days * DAY_MS);
      await storage.append(line, id);
    }
    await storage.close();
  }
}
