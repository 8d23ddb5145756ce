import { appendFile, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { FileStorage, Signer, verifyLog } from "../../../src/index.ts";
import type { SegmentRef } from "../../../src/format/control-line.ts";
import { readFirstLine } from "../../../src/format/read-control-line.ts";
import { testEntry } from "../../../src/testing.ts";
import { Directory } from "../../../src/storage/file/directory.ts";
import { lateFiles, latestStates } from "../../../src/storage/file/witnessed.ts";
import { writeSegment } from "../../verify/log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const DAY_1 = [
  "audit_20261121.jsonl",
  "audit_20261121_001.jsonl",
  "audit_20261121_002.jsonl",
] as const;
const DAY_2 = ["audit_20261122.jsonl", "audit_20261122_001.jsonl"] as const;

describe("what a new segment records of others", () => {
  it("is an unclosed end once more when its day is over, and a closed one never again", async () => {
    const path = await temporaryDirectory();
    const crashed = await writeSegment(path, {
      file: DAY_1[0],
      stream: "crashed",
      end: "unclosed",
    });
    const closed = await writeSegment(path, { file: DAY_1[1], stream: "closed", seen: [crashed] });
    const seen = [crashed, closed];
    const witness = await writeSegment(path, { file: DAY_1[2], stream: "witness", seen });
    const directory = new Directory(path);
    expect(await statesFor(directory, "new", "audit_20261121_003.jsonl")).toEqual([
      witness,
      crashed,
    ]);
    expect(await statesFor(directory, "new", DAY_2[0])).toEqual([crashed, witness]);
    const next = await writeSegment(path, {
      file: DAY_2[0],
      stream: "new",
      seen: [crashed, witness],
    });
    expect(await statesFor(directory, "newer", DAY_2[1])).toEqual([next]);
  });

  it("is no file of a day before the last one with a segment, which has recorded it", async () => {
    const path = await temporaryDirectory();
    const first = await writeSegment(path, { file: DAY_1[0], stream: "first" });
    const second = await writeSegment(path, { file: DAY_2[0], stream: "second", seen: [first] });
    const directory = new Directory(path);
    expect(await statesFor(directory, "third", "audit_20261125.jsonl")).toEqual([second]);
  });

  it("is a file of an earlier day that was written late, soon after a writer's first entry", async () => {
    const path = await temporaryDirectory();
    const signer = await Signer.generate("example.com/audit");
    const log = async (daysAgo: number): Promise<FileStorage> => {
      const storage = new FileStorage({ path, signer });
      const { line, id } = testEntry(Date.now() - daysAgo * 86_400_000);
      await storage.append(line, id);
      return storage;
    };
    await (await log(1)).close();
    const [yesterday = ""] = await readdir(path);
    await (await log(5)).close(); // an import of old entries
    const [imported = ""] = (await readdir(path)).filter((file) => file !== yesterday);
    const storage = await log(0);
    await expect.poll(async () => recordedIn(path), { timeout: 10_000 }).toContain(imported);
    await storage.close();
    expect(await verifyLog(path, { trustedKeys: [signer.vkey] })).toMatchObject({ exitCode: 0 });
  });

  it("is not looked for in old files that nobody wrote to since", async () => {
    const path = await temporaryDirectory();
    await writeSegment(path, { file: DAY_1[0], stream: "old" });
    const directory = new Directory(path);
    await writeSegment(path, { file: DAY_2[0], stream: "new" });
    const old = new Date("2026-11-21T12:00:00Z");
    await utimes(join(path, DAY_1[0]), old, old);
    expect(await lateFiles(directory, "audit_20261125.jsonl", await directory.list())).toEqual([]);
    const late = new Date("2026-11-23T12:00:00Z");
    await utimes(join(path, DAY_1[0]), late, late);
    expect(
      await lateFiles(directory, "audit_20261125.jsonl", await directory.list()),
    ).toMatchObject([{ file: DAY_1[0] }]);
  });
});

describe("what a crash left behind a last checkpoint", () => {
  const yesterday = Date.now() - 86_400_000;
  const torn = '{"id":"torn';
  let path: string;
  let signer: Signer;
  let crashed: string;

  beforeEach(async () => {
    path = await temporaryDirectory();
    signer = await Signer.generate("acme");
    crashed = `audit_${new Date(yesterday).toISOString().slice(0, 10).replaceAll("-", "")}.jsonl`;
  });

  const leave = async (bytes: string, modified = yesterday): Promise<void> => {
    await appendFile(join(path, crashed), bytes);
    await utimes(join(path, crashed), modified / 1000, modified / 1000);
  };
  const crash = async (bytes: string, modified = yesterday): Promise<void> => {
    const spec = { file: crashed, stream: "crashed", signer, end: "unclosed" as const };
    await writeSegment(path, spec);
    await leave(bytes, modified);
  };
  const restart = async (): Promise<void> => {
    const storage = new FileStorage({ path, signer });
    const { line, id } = testEntry(Date.now());
    await storage.append(line, id);
    await storage.close();
  };
  const verify = (): ReturnType<typeof verifyLog> =>
    verifyLog(path, { trustedKeys: [signer.vkey] });

  it("counts until a later day has recorded it, and no longer", async () => {
    await crash(torn);
    expect(await verify()).toMatchObject({ exitCode: 2, files: [{ state: "TORN_TAIL" }] });
    await restart();
    expect(await verify()).toMatchObject({
      exitCode: 0,
      files: [{ state: "OK" }, { state: "OK" }],
    });
  });

  it("may go, and may not become anything else", async () => {
    await crash(torn);
    await restart();
    const whole = await readFile(join(path, crashed), "utf8");
    await writeFile(join(path, crashed), whole.slice(0, -torn.length));
    expect(await verify()).toMatchObject({ exitCode: 0 });
    await writeFile(join(path, crashed), whole.replace("torn", "born"));
    expect(await verify()).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }, {}] });
    await writeFile(join(path, crashed), `${whole}"}\n`);
    expect(await verify()).toMatchObject({ exitCode: 1, files: [{ state: "TAMPERED" }, {}] });
  });

  it("is not recorded while it may still be on its way to the disk", async () => {
    await crash(torn, Date.now());
    await restart();
    expect(await recordedIn(path)).toEqual([]);
    await leave("", yesterday);
    await restart();
    expect(await recordedIn(path)).toContain(crashed);
    expect(await verify()).toMatchObject({ exitCode: 0 });
  });

  it.each(["", '{"type":"segment.open","v":1'])("is a file with no more than %j", async (bytes) => {
    await leave(bytes);
    expect(await verify()).toMatchObject({ files: [{ state: "TORN_TAIL" }] });
    await restart();
    expect(await verify()).toMatchObject({ exitCode: 0 });
    await appendFile(join(path, crashed), "x");
    expect(await verify()).toMatchObject({ exitCode: 1 });
    await rm(join(path, crashed));
    expect(await verify()).toMatchObject({ exitCode: 0 });
  });
});

/** Files of which a first line here records a state. */
async function recordedIn(path: string): Promise<string[]> {
  const files = (await readdir(path)).filter((file) => file.endsWith(".jsonl"));
  const texts = await Promise.all(files.map((file) => readFile(join(path, file), "utf8")));
  return texts.flatMap((text) => {
    const first = readFirstLine(text.split("\n", 1)[0] ?? "");
    return first.kind === "segment" ? first.open.seen.map(({ file }) => file) : [];
  });
}

async function statesFor(
  directory: Directory,
  stream: string,
  own: string,
): Promise<readonly SegmentRef[]> {
  return (await latestStates(directory, stream, own, await directory.list())).states;
}
