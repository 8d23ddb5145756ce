import { describe, expect, it } from "vitest";
import {
  callStarted,
  checkpoint,
  loss,
  retentionPrune,
  retentionSeen,
  segmentClose,
  segmentOpen,
  subjectErased,
} from "../../src/format/control-line.ts";

const ref = { root: "cm9vdA==", size: 3, file: "audit_20261122.jsonl" };

describe("control lines have the members of the format in its order, whatever order they were given in", () => {
  it.each([
    [
      "segment.open",
      segmentOpen({
        sdk: "ai-audit 1",
        seen: [ref],
        prev: ref,
        vkey: "k+0+0",
        created: "c",
        seq: 2,
        stream: "s",
        file: "f",
        v: 1,
      }),
      '{"type":"segment.open","v":1,"file":"f","stream":"s","seq":2,"created":"c","vkey":"k+0+0","prev":{"file":"audit_20261122.jsonl","size":3,"root":"cm9vdA=="},"seen":[{"file":"audit_20261122.jsonl","size":3,"root":"cm9vdA=="}],"sdk":"ai-audit 1"}',
    ],
    [
      "segment.open of a first, unsigned segment",
      segmentOpen({
        v: 1,
        file: "f",
        stream: "s",
        seq: 0,
        created: "c",
        vkey: null,
        prev: null,
        seen: [],
        sdk: "x",
      }),
      '{"type":"segment.open","v":1,"file":"f","stream":"s","seq":0,"created":"c","vkey":null,"prev":null,"seen":[],"sdk":"x"}',
    ],
    [
      "segment.close",
      segmentClose({ entries: 1, leaves: 3, reason: "day" }),
      '{"type":"segment.close","reason":"day","leaves":3,"entries":1}',
    ],
    [
      "checkpoint",
      checkpoint({ note: "o\n1\n" }),
      String.raw`{"type":"checkpoint","note":"o\n1\n"}`,
    ],
    [
      "retention.prune",
      retentionPrune({
        actor: "a",
        policy: "p",
        to: null,
        from: "t",
        root: "r",
        leaves: 3,
        file: "f",
      }),
      '{"type":"retention.prune","file":"f","leaves":3,"root":"r","from":"t","to":null,"policy":"p","actor":"a"}',
    ],
    [
      "retention.seen",
      retentionSeen({ seen: [{ root: "r", size: 3, file: "f" }] }),
      '{"type":"retention.seen","seen":[{"file":"f","size":3,"root":"r"}]}',
    ],
    [
      "subject.erased",
      subjectErased({ reason: "r", actor: "a", subject: "s" }),
      '{"type":"subject.erased","subject":"s","actor":"a","reason":"r"}',
    ],
    [
      "loss",
      loss({ reason: "r", to: "t", from: "f", entries: 2 }),
      '{"type":"loss","entries":2,"from":"f","to":"t","reason":"r"}',
    ],
    [
      "call.started",
      callStarted({
        input_hash: "h",
        operation: "chat",
        model: "m",
        provider: null,
        timestamp: "t",
        call: "c",
      }),
      '{"type":"call.started","call":"c","timestamp":"t","provider":null,"model":"m","operation":"chat","input_hash":"h"}',
    ],
  ])("%s", (_, written, expected) => {
    expect(written).toBe(expected);
  });
});
