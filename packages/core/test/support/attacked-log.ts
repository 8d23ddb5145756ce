// A log in a bucket, and what somebody who may put and delete objects, without the signing key, can
// do to it.
import { readdir } from "node:fs/promises";
import { beforeAll, beforeEach, onTestFinished, vi } from "vitest";
import { Segment } from "../../src/storage/segment.ts";
import { Signer } from "../../src/seal/signer.ts";
import type { Verification } from "../../src/verify/verification.ts";
import { FileStorage } from "../../src/storage/file/file.ts";
import { S3Archive, type S3Storage } from "../../src/storage/s3/index.ts";
import { dayOf } from "../../src/storage/s3/keys.ts";
import type { PruneResult } from "../../src/storage/storage.ts";
import { testEntry } from "../../src/testing.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { appendCommits, S3Log } from "./s3-log.ts";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";

export const DAY_MS = 86_400_000;
/** A root that no tree of these tests has. */
export const ROOT: string = Buffer.alloc(32).toString("base64");

/** A bench for the tests of a suite, each of which has a new log in a bucket on Ceph. */
export class AttackedLog {
  /** What `onError` was told, and what clean-up refused and why. */
  readonly errors: string[] = [];
  #server: S3Server | undefined;
  #log: S3Log | undefined;

  private constructor() {}

  /** To be called in a `describe`: the server is there, and the log new, when a test begins. */
  static onCeph(): AttackedLog {
    const bench = new AttackedLog();
    beforeAll(async () => {
      bench.#server = await s3Server("ceph");
    }, 120_000);
    beforeEach(async () => void (await bench.renew()));
    return bench;
  }

  get server(): S3Server {
    if (!this.#server) throw new Error("the server is there in hooks and tests only");
    return this.#server;
  }

  get log(): S3Log {
    if (!this.#log) throw new Error("the log is there in hooks and tests only");
    return this.#log;
  }

  /** Another new log for this test. */
  async renew(options?: { readonly withObjectLock?: boolean }): Promise<S3Log> {
    this.#log = await S3Log.make(this.server, options);
    this.errors.length = 0;
    return this.#log;
  }

  readonly onError = ({ message }: Error): void => void this.errors.push(message);

  /** A closed stream with commits of these sizes, so many days ago; its keys in their order. */
  async stream(
    sizes: readonly number[],
    days: number,
    signer: Signer = this.log.signer,
  ): Promise<string[]> {
    const before = new Set(await this.log.keys());
    const storage = this.log.storage({ signer });
    await appendCommits(storage, sizes, Date.now() - days * DAY_MS);
    await storage.close();
    const added = (await this.log.keys()).filter((key) => !before.has(key));
    return added.toSorted(
      (a, b) =>
        Number(a.includes("/control_")) - Number(b.includes("/control_")) || (a < b ? -1 : 1),
    );
  }

  async prune(days = 30, storage: S3Storage = this.log.storage()): Promise<PruneResult> {
    const now = Date.now();
    const result = await storage.prune({
      before: now - days * DAY_MS,
      policy: "retention",
      actor: "test",
      now,
    });
    await storage.close();
    const reasons = (result.expired ?? []).flatMap(({ fate, reason = "" }) =>
      fate === "refused" ? [reason] : [],
    );
    this.errors.push(...(result.refused ?? []), ...reasons);
    return result;
  }

  /**
   * Puts another stream's name on a segment that a stranger sealed, as the stranger can seal it.
   */
  async renameStream(keys: readonly string[], name: string): Promise<void> {
    const stranger = await Signer.generate("stranger");
    const day = dayOf(Date.now() - 40 * DAY_MS);
    const file = `audit_${day.replaceAll("-", "")}_${name}_0.jsonl`;
    const options = {
      file,
      stream: name,
      seq: 0,
      created: "",
      prev: null,
      seen: [],
      sdk: "",
      signer: stranger,
    };
    const segment = new Segment(options);
    for (const key of keys) await this.log.remove(key);
    const { id, line } = testEntry(Date.now() - 40 * DAY_MS);
    const [open = "", , seal = ""] = segment.seal([line], 1).toString().split("\n");
    const first = `${day}/${id}.json`;
    const about = {
      "audit-stream": name,
      "audit-entries": "1",
      "audit-last": id,
      "audit-leaf": "0",
    };
    const noteOf = (text: string): string => encode(JSON.parse(text).note);
    await this.log.write(first, line, {
      ...about,
      "audit-open": encode(open),
      "audit-checkpoint": noteOf(seal),
    });
    for (let leaf = 2; leaf < 6; leaf += 1) {
      const [body = "", note = ""] = segment.seal(['{"type":"note"}'], 0).toString().split("\n");
      const previous = leaf === 2 ? first : `${day}/${name}/control_0_${leaf - 1}.jsonl`;
      const counts = { "audit-stream": name, "audit-entries": "0", "audit-leaf": String(leaf) };
      const metadata = { ...counts, "audit-previous": previous, "audit-checkpoint": noteOf(note) };
      await this.log.write(`${day}/${name}/control_0_${leaf}.jsonl`, `${body}\n`, metadata);
    }
  }

  /** Commit metadata that claims what it likes. */
  async forged(key: string, size: number, stem?: string): Promise<Record<string, string>> {
    const { metadata } = await this.log.read(key);
    const [origin = "", , , signature = ""] = decode(metadata["audit-checkpoint"])
      .split(/\n/)
      .filter(Boolean);
    const named =
      stem === undefined ? origin : `${origin.slice(0, origin.lastIndexOf("/"))}/${stem}`;
    return {
      ...metadata,
      "audit-checkpoint": encode(`${named}\n${size}\n${ROOT}\n\n${signature}\n`),
    };
  }

  async altered(key: string, from: string, to: string): Promise<void> {
    const { body, metadata } = await this.log.read(key);
    if (!body.includes(from)) throw new Error(`${key} does not hold ${from}`);
    await this.log.write(key, body.replace(from, to), metadata);
  }

  async statesByStream(): Promise<string[]> {
    return states(await this.log.verify()).toSorted();
  }

  archive(keepLocalDays = Infinity): S3Archive {
    const { bucket, prefix, client } = this.log;
    return new S3Archive({ bucket, prefix, client, keepLocalDays, onError: this.onError });
  }

  /**
   * A directory with three entries on each of the days so many days ago and of today, all shipped.
   */
  async shippedDirectory(days: readonly number[]): Promise<string> {
    const path = await temporaryDirectory();
    for (const ago of days)
      await daysAgo(ago, () => write(new FileStorage({ path, signer: this.log.signer })));
    await this.ship(path);
    if (this.errors.length > 0) throw new Error(this.errors.join("\n"));
    return path;
  }

  async ship(path: string, keepLocalDays = Infinity): Promise<void> {
    const storage = new FileStorage({
      path,
      signer: this.log.signer,
      archive: this.archive(keepLocalDays),
    });
    await write(storage);
  }
}

export async function write(storage: FileStorage | S3Storage): Promise<void> {
  for (let count = 0; count < 3; count += 1) {
    const { id, line } = testEntry(Date.now());
    await storage.append(line, id);
  }
  await storage.close();
}

export async function daysAgo(days: number, run: () => Promise<void>): Promise<void> {
  onTestFinished(() => void vi.useRealTimers());
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - days * DAY_MS });
  await run();
  vi.useRealTimers();
}

export async function segments(path: string): Promise<string[]> {
  return (await readdir(path)).filter((name) => name.endsWith(".jsonl")).toSorted();
}

/** A closed segment that holds one line. */
export function sealed(file: string, line: string, signer: Signer | undefined): Buffer {
  const segment = new Segment({
    file,
    stream: "BBBBBBBBBBBBBBBB",
    seq: 0,
    created: "2020-01-01T00:00:00.000Z",
    prev: null,
    seen: [],
    sdk: "test",
    ...(signer && { signer }),
  });
  return Buffer.concat([segment.seal([line], 0), segment.close("close")]);
}

export function states({ files }: Verification): string[] {
  return files.map(({ state }) => state);
}

export function messages({ files }: Verification): string {
  return files.flatMap(({ problems }) => problems.map(({ message }) => message)).join("\n");
}

export function decode(text: string | undefined): string {
  return Buffer.from(text ?? "", "base64").toString();
}

export function encode(text: string): string {
  return Buffer.from(text).toString("base64");
}
