import { describe, expect, it } from "vitest";
import { Directory } from "../../../src/storage/file/directory.ts";
import { latestStates } from "../../../src/storage/file/witnessed.ts";
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
    expect(await latestStates(directory, "new", "audit_20261121_003.jsonl")).toEqual([witness]);
    expect(await latestStates(directory, "new", DAY_2[0])).toEqual([crashed, witness]);
    const next = await writeSegment(path, {
      file: DAY_2[0],
      stream: "new",
      seen: [crashed, witness],
    });
    expect(await latestStates(directory, "newer", DAY_2[1])).toEqual([next]);
  });
});
