import { describe, expect, it } from "vitest";
import {
  type ControlLine,
  formatControlLine,
  isControlLine,
  prefixOf,
} from "../../src/format/control-line.ts";
import { readControlLine, readFirstLine, readLineOf } from "../../src/format/read-control-line.ts";

const ref = { root: "cm9vdA==", size: 3, file: "audit_20261122.jsonl" };

describe("control lines have the members of the format in its order, whatever order they were given in", () => {
  it.each([
    [
      "segment.open",
      formatControlLine({
        type: "segment.open",
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
      formatControlLine({
        type: "segment.open",
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
      formatControlLine({ type: "segment.close", entries: 1, leaves: 3, reason: "day" }),
      '{"type":"segment.close","reason":"day","leaves":3,"entries":1}',
    ],
    [
      "checkpoint",
      formatControlLine({ type: "checkpoint", note: "o\n1\n" }),
      String.raw`{"type":"checkpoint","note":"o\n1\n"}`,
    ],
    [
      "retention.prune",
      formatControlLine({
        type: "retention.prune",
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
      formatControlLine({ type: "retention.seen", seen: [{ root: "r", size: 3, file: "f" }] }),
      '{"type":"retention.seen","seen":[{"file":"f","size":3,"root":"r"}]}',
    ],
    [
      "subject.erased",
      formatControlLine({ type: "subject.erased", reason: "r", actor: "a", subject: "s" }),
      '{"type":"subject.erased","subject":"s","actor":"a","reason":"r"}',
    ],
    [
      "loss",
      formatControlLine({ type: "loss", reason: "r", to: "t", from: "f", entries: 2 }),
      '{"type":"loss","entries":2,"from":"f","to":"t","reason":"r"}',
    ],
    [
      "call.started",
      formatControlLine({
        type: "call.started",
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

const root = Buffer.alloc(32, 7).toString("base64");
const sha256 = "ab".repeat(32);
const full = { file: "audit_20261122.jsonl", size: 3, root, tail: { bytes: 5, sha256 } };

/** One of each, with every member. */
const ALL: readonly ControlLine[] = [
  {
    type: "segment.open",
    v: 1,
    file: "f",
    stream: "s",
    seq: 2,
    created: "c",
    vkey: "k",
    prev: full,
    seen: [full],
    sdk: "x",
    expires: 30,
  },
  { type: "segment.close", reason: "day", leaves: 3, entries: 1, linked: 1 },
  { type: "checkpoint", note: "n" },
  {
    type: "retention.prune",
    file: "f",
    leaves: 3,
    root,
    from: "t",
    to: null,
    policy: "p",
    actor: "a",
    at: "t",
    since: [{ leaves: 2, root, proof: [root] }],
  },
  { type: "retention.release", hold: "h", reason: "r", actor: "a", released: "t" },
  { type: "retention.archived", file: "f", leaves: 3, root, sha256, location: "s3://b/k", at: "t" },
  { type: "retention.seen", seen: [full] },
  { type: "subject.erased", subject: "s", actor: "a", reason: "r", at: "t" },
  {
    type: "loss",
    entries: 2,
    from: "t",
    to: "t",
    reason: "r",
    at: "t",
    first: "i",
    last: "i",
    certain: false,
  },
  { type: "again", file: "f", leaf: 3, first: "i", last: "i", count: 2, reason: "EIO" },
  { type: "segment.gap", file: "f", size: 9, root, found: 7 },
  {
    type: "call.started",
    call: "c",
    timestamp: "t",
    provider: "p",
    model: null,
    operation: "chat",
    input_hash: "h",
  },
  { type: "run.started", run: "r", parent: null, root: "r", name: "n", kind: "agent", at: "t" },
  { type: "heartbeat", at: "t" },
];

/** Members that may be absent. */
const OPTIONAL: ReadonlySet<string> = new Set([
  "segment.open expires",
  "segment.close linked",
  "retention.prune at",
  "retention.prune since",
  "retention.archived at",
  "subject.erased at",
  ...["at", "first", "last", "certain"].map((member) => `loss ${member}`),
]);

/** Every way to spoil one member: missing, and of another kind. */
const SPOILT = ALL.flatMap((line) =>
  Object.keys(line)
    .filter((member) => member !== "type")
    .flatMap((member) => [
      [`${line.type} with ${member} of another kind`, { ...line, [member]: { odd: true } }],
      ...(OPTIONAL.has(`${line.type} ${member}`)
        ? []
        : [[`${line.type} without ${member}`, { ...line, [member]: undefined }]]),
    ]),
) as readonly (readonly [string, object])[];

describe("a control line is read", () => {
  it.each(ALL.map((line) => [line.type, line] as const))("as it was written: %s", (type, line) => {
    const text = formatControlLine(line);
    expect(text.startsWith(prefixOf(type))).toBe(true);
    expect(readControlLine(text)).toEqual(line);
    expect(readLineOf(text, type)).toEqual(line);
    expect(readLineOf(text, type === "heartbeat" ? "loss" : "heartbeat")).toBeUndefined();
  });

  it.each(SPOILT)("as nothing when it is malformed: %s", (_, line) => {
    expect(isControlLine(line)).toBe(false);
    expect(readControlLine(JSON.stringify(line))).toBeUndefined();
  });

  it("with members of a later version, which are ignored", () => {
    const line = { type: "heartbeat", at: "t", later: 1 };
    expect(readLineOf(JSON.stringify(line), "heartbeat")?.at).toBe("t");
  });

  it("as nothing when its type is unknown or it is an entry", () => {
    for (const text of ['{"type":"later.thing","at":"t"}', '{"id":"x"}', "[]", "null", "no JSON"])
      expect(readControlLine(text)).toBeUndefined();
  });

  it("as a hold with open bounds where they cannot be read: a hold errs by keeping too much", () => {
    const text = '{"type":"retention.hold","hold":"h","from":"no time","to":7,"actor":{}}';
    expect(readControlLine(text)).toEqual({
      type: "retention.hold",
      hold: "h",
      from: null,
      to: null,
      reason: "",
      actor: "",
      placed: "",
    });
  });
});

describe("a first line", () => {
  const open = formatControlLine(ALL[0]!);
  it.each([
    ["of this version is a segment's", open, "segment"],
    ["of a later version is told apart", open.replace('"v":1', '"v":2'), "unknown-version"],
    [
      "with a member of another kind is malformed",
      open.replace('"seq":2', '"seq":"2"'),
      "malformed",
    ],
    ["without a version is malformed", open.replace('"v":1', '"v":null'), "malformed"],
    ["that is an entry is foreign", '{"id":"x"}', "foreign"],
    ["that is no JSON is foreign", '{"type":"segment.open",', "foreign"],
  ])("%s", (_, text, kind) => {
    expect(readFirstLine(text).kind).toBe(kind);
  });
});
