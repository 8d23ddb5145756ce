// Whatever bytes they are given, the parsers of the format answer as they promise: with a value,
// with undefined, or with an AuditError; and nothing that was altered is taken for what was
// written. FUZZ_SEED begins elsewhere, AUDIT_SOAK=1 takes longer.
import { createSecretKey } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";
import { AuditError, AuditLogger, verifyLog } from "../../src/index.ts";
import { lineToEntry } from "../../src/format/entry-line.ts";
import { eachLine, LineSplitter } from "../../src/format/lines.ts";
import {
  readCheckpointLine,
  readControlLine,
  readFirstLine,
} from "../../src/format/read-control-line.ts";
import { openFernet } from "../../src/keys/fernet.ts";
import { openJwe, parseJwe } from "../../src/keys/jwe.ts";
import { decodeKey } from "../../src/keys/keys.ts";
import { parseCheckpoint, parseNote } from "../../src/seal/note.ts";
import { checkProof } from "../../src/anchor/check-proof.ts";
import { parsePin } from "../../src/verify/pin.ts";
import { fuzzInputs } from "@ai-audit/test-support/fuzz";
import { Random } from "@ai-audit/test-support/random";
import { times } from "@ai-audit/test-support/soak";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { encryptionVectors } from "../keys/vectors.ts";

interface SegmentVectors {
  readonly key: { readonly vkey: string };
}
interface FernetVectors {
  readonly secret: string;
}

const VECTORS = new URL("../vectors/", import.meta.url);
const segments: SegmentVectors = JSON.parse(
  readFileSync(new URL("segments.json", VECTORS), "utf8"),
);
const fernet: FernetVectors = JSON.parse(readFileSync(new URL("fernet.json", VECTORS), "utf8"));

/**
 * What a parser gives; undefined where it refuses with an AuditError. Any other error is a failure.
 */
function answerOf<T>(name: string, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!AuditError.isInstance(error))
      throw new Error(`${name}: ${String(error)}`, { cause: error });
    return undefined;
  }
}

/** The inputs of a corpus for which a property does not hold. */
function exceptions(
  corpus: string,
  holds: (text: string, name: string, isOriginal: boolean, bytes: Buffer) => boolean,
): string[] {
  const found: string[] = [];
  for (const { name, bytes, isOriginal } of fuzzInputs(corpus, import.meta.url))
    if (!holds(bytes.toString(), name, isOriginal, bytes)) found.push(name);
  return found;
}

function linesInPieces(bytes: Buffer): string[] {
  const random = new Random(bytes.length);
  const splitter = new LineSplitter();
  const lines: string[] = [];
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + 1 + random.below(40));
    for (const block of splitter.push(Buffer.from(piece)))
      eachLine(block, (text, start, end) => void lines.push(text.toString("latin1", start, end)));
    at += piece.length;
  }
  return [...lines, splitter.rest().toString("latin1")];
}

describe("Any bytes", { timeout: 600_000 }, () => {
  it("are the same lines however they come in pieces", () => {
    const found = exceptions("lines", (_text, _name, _isOriginal, bytes) =>
      isDeepStrictEqual(linesInPieces(bytes), bytes.toString("latin1").split("\n")),
    );
    expect(found).toEqual([]);
  });

  it("are a control line, or none", () => {
    const found = exceptions("control-lines", (text, name) => {
      const line = answerOf(name, () => readControlLine(text));
      const first = answerOf(name, () => readFirstLine(text));
      const checkpoint = answerOf(name, () => readCheckpointLine(text))?.checkpoint;
      return (
        (line === undefined || typeof line.type === "string") &&
        first !== undefined &&
        (checkpoint === undefined || Number.isSafeInteger(checkpoint.size))
      );
    });
    expect(found).toEqual([]);
  });

  it("are an entry with an id, or none", () => {
    const found = exceptions("entries", (text, name) => {
      const entry = answerOf(name, () => lineToEntry(text));
      return entry === undefined || typeof entry.id === "string";
    });
    expect(found).toEqual([]);
  });

  it("are a note with its text as it stands, or none", () => {
    const found = exceptions("notes", (text, name) => {
      const note = answerOf(name, () => parseNote(text));
      const checkpoint = note && answerOf(name, () => parseCheckpoint(note.text));
      return (
        (note === undefined || text.startsWith(note.text)) &&
        (checkpoint === undefined || Number.isSafeInteger(checkpoint.size))
      );
    });
    expect(found).toEqual([]);
  });

  it("are a pin, or AUDIT_CONFIG_INVALID", () => {
    const found = exceptions("pins", (text, name) => {
      const pin = answerOf(name, () => parsePin(text));
      return pin === undefined || Buffer.from(pin.root, "base64").length === 32;
    });
    expect(found).toEqual([]);
  });

  it("prove no other entry than the one that was sealed", () => {
    const sealed = new Set<string | undefined>();
    const found = exceptions("proofs", (text, name, isOriginal) => {
      const check = answerOf(name, () => checkProof(text, [segments.key.vkey]));
      if (isOriginal) sealed.add(check?.line);
      return check !== undefined && (check.exitCode !== 0 || sealed.has(check.line));
    });
    expect(found).toEqual([]);
  });

  it("open as a JWE only to a text that was encrypted", () => {
    const texts = new Set(encryptionVectors.contents.map(({ text }) => text));
    const keys = encryptionVectors.contents.map(({ content_key: key }) =>
      createSecretKey(Buffer.from(key, "base64url")),
    );
    const found = exceptions("jwe", (text, name) =>
      keys.every((key) => {
        const opened = answerOf(name, () => openJwe(parseJwe(text), key));
        return opened === undefined || texts.has(opened);
      }),
    );
    expect(found).toEqual([]);
  });

  it("open as a Fernet token only to a text that was encrypted", () => {
    const key = decodeKey(fernet.secret, "the secret");
    const open = (text: string, name: string): string | undefined =>
      answerOf(name, () => openFernet(text, [key]));
    const texts = new Set<string | undefined>([undefined]);
    // All originals first: a mutation may mend an invalid token into a valid one.
    exceptions("fernet", (text, name, isOriginal) => {
      if (isOriginal) texts.add(open(text, name));
      return true;
    });
    expect(texts).toContain("hello");
    expect(exceptions("fernet", (text, name) => texts.has(open(text, name)))).toEqual([]);
  });
});

describe("A directory with a damaged segment", { timeout: 600_000 }, () => {
  it("is read and verified without an error, and never proven with a line that was not sealed", async () => {
    const path = await temporaryDirectory();
    const sealed = new Set<string>();
    const found: string[] = [];
    let count = 0;
    const inputs = fuzzInputs("segments", import.meta.url, times(15, 300));
    for (const { name, bytes, isOriginal } of inputs) {
      count += 1;
      const folder = join(path, `${count}`);
      mkdirSync(folder);
      const [, file = ""] = /^(audit_\d{8})/.exec(name) ?? [];
      writeFileSync(join(folder, `${file}.jsonl`), bytes);
      const { exitCode } = await verifyLog(folder, { trustedKeys: [segments.key.vkey] });
      // Checkpoints are no leaves: by default only the last signature of a file is checked.
      const lines = bytes
        .toString()
        .split("\n")
        .filter((line) => !line.startsWith('{"type":"checkpoint",'));
      if (isOriginal) for (const line of lines) sealed.add(line);
      if (exitCode === 0 && lines.some((line) => !sealed.has(line))) found.push(`${name}: proven`);
      await using logger = new AuditLogger(folder);
      for await (const { id } of logger.entries())
        if (typeof id !== "string") found.push(`${name}: an entry without an id`);
    }
    expect(found).toEqual([]);
  });
});
