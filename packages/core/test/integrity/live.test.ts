// A log that is being written while it is verified.
import { appendFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { directorySource, type LogSource } from "../../src/integrity/log-source.ts";
import { Segment } from "../../src/integrity/segment.ts";
import { Signer } from "../../src/integrity/signer.ts";
import { verifySource } from "../../src/integrity/verify.ts";
import { entryLines, makeDirectory, NOW, writeSegment } from "./log-builder.ts";

const FIRST = "audit_20261123.jsonl";
const SECOND = "audit_20261123_001.jsonl";
const signer = await Signer.generate("bank-prod");
const options = { trustedKeys: [signer.vkey], now: NOW };
const common = { created: "2026-11-23T08:00:00.000Z", signer, prev: null, seen: [], sdk: "test", seq: 0 };

/** A directory in which something happens just before a file is read for the n-th time. */
function sourceWith(directory: string, file: string, nth: number, happen: () => Promise<void>): LogSource {
  const inner = directorySource(directory);
  let reads = 0;
  return {
    files: () => inner.files(),
    async *read(name) {
      if (name === file) reads += 1;
      if (name === file && reads === nth) await happen();
      yield* inner.read(name);
    },
  };
}

describe("a writer at work is not accused", () => {
  it("when it begins a segment that records more of another than was read", async () => {
    const directory = await makeDirectory();
    const first = new Segment({ ...common, file: FIRST, stream: "streamA" });
    await appendFile(join(directory, FIRST), first.seal(entryLines(2), 2));
    await writeFile(join(directory, SECOND), "");
    // The second read of the empty file comes after the first file was checked.
    const source = sourceWith(directory, SECOND, 2, async () => {
      await appendFile(join(directory, FIRST), first.seal(entryLines(2), 2));
      const second = new Segment({ ...common, file: SECOND, stream: "streamB", seen: [first.ref()] });
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
    const directory = await makeDirectory();
    await writeSegment(directory, { file: FIRST, signer });
    await writeFile(join(directory, SECOND), "");
    const source = sourceWith(directory, SECOND, 1, () => rm(join(directory, SECOND)));
    expect(await verifySource(source, options)).toMatchObject({ exitCode: 0, files: [{ file: FIRST, state: "OK" }] });
  });
});
