// A log that is being written while it is verified.
import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { directorySource, type LogSource } from "../../src/verify/log-source.ts";
import { Segment } from "../../src/storage/segment.ts";
import { Signer } from "../../src/seal/signer.ts";
import { verifySource, verifySources } from "../../src/verify/verifier.ts";
import { entryLines, NOW, writeSegment } from "./log-builder.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

const FIRST = "audit_20261123.jsonl";
const SECOND = "audit_20261123_001.jsonl";
const signer = await Signer.generate("bank-prod");
const options = { trustedKeys: [signer.vkey], now: NOW };
const common = {
  created: "2026-11-23T08:00:00.000Z",
  signer,
  prev: null,
  seen: [],
  sdk: "test",
  seq: 0,
};

/** A directory in which something happens just before a file is read for the n-th time. */
function sourceWith(
  directory: string,
  file: string,
  nth: number,
  happen: () => Promise<void>,
): LogSource {
  const inner = directorySource(directory);
  let reads = 0;
  return {
    ...inner,
    async *read(name) {
      if (name === file) reads += 1;
      if (name === file && reads === nth) await happen();
      yield* inner.read(name);
    },
  };
}

describe("a writer at work is not accused", () => {
  it("when it begins a segment that records more of another than was read", async () => {
    const directory = await temporaryDirectory();
    const first = new Segment({ ...common, file: FIRST, stream: "streamA" });
    await appendFile(join(directory, FIRST), first.seal(entryLines(2), 2));
    await writeFile(join(directory, SECOND), "");
    // The second read of the empty file comes after the first file was checked.
    const source = sourceWith(directory, SECOND, 2, async () => {
      await appendFile(join(directory, FIRST), first.seal(entryLines(2), 2));
      const second = new Segment({
        ...common,
        file: SECOND,
        stream: "streamB",
        seen: [first.ref()],
      });
      await appendFile(join(directory, SECOND), second.seal(entryLines(1), 1));
    });
    expect(await verifySource(source, options)).toMatchObject({
      exitCode: 0,
      entries: 5,
      files: [
        { file: FIRST, state: "OPEN", leaves: 5, problems: [] },
        { file: SECOND, state: "OPEN", leaves: 2, problems: [] },
      ],
    });
  });

  it("when retention, or a writer that never wrote to it, removes a file after it was listed", async () => {
    const directory = await temporaryDirectory();
    await writeSegment(directory, { file: FIRST, signer });
    await writeFile(join(directory, SECOND), "");
    const source = sourceWith(directory, SECOND, 1, () => rm(join(directory, SECOND)));
    expect(await verifySource(source, options)).toMatchObject({
      exitCode: 0,
      files: [{ file: FIRST, state: "OK" }],
    });
  });

  it("when it refers to a segment that began after the files were listed", async () => {
    const directory = await temporaryDirectory();
    await writeFile(join(directory, FIRST), "");
    const source = sourceWith(directory, FIRST, 1, async () => {
      const seen = await writeSegment(directory, { file: SECOND, stream: "streamB", signer });
      const first = new Segment({ ...common, file: FIRST, stream: "streamA", seen: [seen] });
      await appendFile(join(directory, FIRST), first.seal(entryLines(1), 1));
    });
    expect(await verifySource(source, options)).toMatchObject({
      exitCode: 0,
      files: [
        { file: FIRST, state: "OPEN" },
        { file: SECOND, state: "OK" },
      ],
    });
  });

  it("when it has ended a full segment and not yet begun the next one", async () => {
    const directory = await temporaryDirectory();
    const prev = await writeSegment(directory, { file: FIRST, signer, reason: "size" });
    const inner = directorySource(directory);
    let listings = 0;
    const files: LogSource["files"] = async () => {
      listings += 1;
      if (listings === 3)
        await writeSegment(directory, { file: SECOND, seq: 1, signer, prev, end: "unclosed" });
      return inner.files();
    };
    expect(await verifySource({ ...inner, files }, options)).toMatchObject({
      exitCode: 0,
      files: [{ state: "OK" }, { file: SECOND, state: "OPEN" }],
    });
  });

  it("when a place that is listed once was listed before what others there refer to", async () => {
    const directory = await temporaryDirectory();
    const seen = await writeSegment(directory, { file: SECOND, stream: "streamB", signer });
    await writeSegment(directory, { file: FIRST, signer, seen: [seen] });
    const inner = directorySource(directory);
    const read: LogSource["read"] = (file) => inner.read(file);
    const listing = await inner.files();
    let looks = 0;
    const open = async (): Promise<LogSource[]> => {
      looks += 1;
      const listed = looks === 1 ? listing.filter(({ file }) => file === FIRST) : listing;
      return [{ files: async () => listed, read }];
    };
    expect(await verifySources(open, options)).toMatchObject({
      exitCode: 0,
      files: [{}, { file: SECOND }],
    });
    await rm(join(directory, SECOND));
    const gone = { files: async () => listing.filter(({ file }) => file === FIRST), read };
    expect(await verifySources(async () => [gone], options)).toMatchObject({ exitCode: 1 });
  });

  it("when retention removes files faster than a few looks at them take", async () => {
    const directory = await temporaryDirectory();
    await writeSegment(directory, { file: FIRST, signer });
    const inner = directorySource(directory);
    let reads = 0;
    const read: LogSource["read"] = (file) => {
      reads += 1;
      return inner.read(reads <= 5 ? "removed" : file);
    };
    expect(await verifySource({ ...inner, read }, options)).toMatchObject({ exitCode: 0 });
  });

  it("and all ends that may still be written are waited for at once", async () => {
    const directory = await temporaryDirectory();
    const empty = Array.from({ length: 9 }, (_, index) => `audit_20261123_00${index + 1}.jsonl`);
    for (const file of empty) await writeFile(join(directory, file), "");
    const inner = directorySource(directory);
    const looks: string[] = [];
    const sizeOf = async (file: string): Promise<number | undefined> => {
      looks.push(file);
      return inner.sizeOf?.(file);
    };
    expect(await verifySource({ ...inner, sizeOf }, options)).toMatchObject({ exitCode: 2 });
    expect(looks.slice(0, 18)).toEqual([...empty, ...empty]);
  });
});
