// Whatever bytes they are given, the parsers of the format answer as they promise: with a value, with undefined, or with an
// AuditError; and nothing that was altered is taken for what was written. FUZZ_SEED begins elsewhere, AUDIT_SOAK=1 takes longer.
import { createSecretKey } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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
import { checkProof } from "../../src/verify/proof.ts";
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

/** What a parser gives; undefined where it refuses with an AuditError. Any other error is a failure. */
function answerOf<T>(name: string, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!AuditError.isInstance(error))
      throw new Error(`${name}: ${String(error)}`, { cause: error });
    return undefined;
  }
}

describe("Any bytes", { timeout: 600_000 }, () => {
  it("are the same lines however they come in pieces", () => {
    for (const { name, bytes } of fuzzInputs("lines", import.meta.url)) {
      const random = new Random(bytes.length);
      const splitter = new LineSplitter();
      const lines: string[] = [];
      for (let at = 0; at < bytes.length;) {
        const piece = bytes.subarray(at, at + 1 + random.below(40));
        for (const block of splitter.push(Buffer.from(piece)))
          eachLine(
            block,
            (text, start, end) => void lines.push(text.toString("latin1", start, end)),
          );
        at += piece.length;
      }
      const all = [...lines, splitter.rest().toString("latin1")];
      expect(all, name).toEqual(bytes.toString("latin1").split("\n"));
    }
  });

  it("are a control line, or none", () => {
    for (const { name, bytes } of fuzzInputs("control-lines", import.meta.url)) {
      const text = bytes.toString();
      const line = answerOf(name, () => readControlLine(text));
      if (line !== undefined) expect(typeof line.type, name).toBe("string");
      expect(["segment", "malformed", "unknown-version", "foreign"], name).toContain(
        answerOf(name, () => readFirstLine(text))?.kind,
      );
      const checkpoint = answerOf(name, () => readCheckpointLine(text));
      if (checkpoint) expect(checkpoint.checkpoint.size, name).toBeGreaterThanOrEqual(0);
    }
  });

  it("are an entry with an id, or none", () => {
    for (const { name, bytes } of fuzzInputs("entries", import.meta.url)) {
      const entry = answerOf(name, () => lineToEntry(bytes.toString()));
      if (entry !== undefined) expect(typeof entry.id, name).toBe("string");
    }
  });

  it("are a note with its text as it stands, or none", () => {
    for (const { name, bytes } of fuzzInputs("notes", import.meta.url)) {
      const text = bytes.toString();
      const note = answerOf(name, () => parseNote(text));
      if (note === undefined) continue;
      expect(text.startsWith(note.text), name).toBe(true);
      const checkpoint = answerOf(name, () => parseCheckpoint(note.text));
      if (checkpoint) expect(Number.isSafeInteger(checkpoint.size), name).toBe(true);
    }
  });

  it("are a pin, or AUDIT_CONFIG_INVALID", () => {
    for (const { name, bytes } of fuzzInputs("pins", import.meta.url)) {
      const pin = answerOf(name, () => parsePin(bytes.toString()));
      if (pin) expect(Buffer.from(pin.root, "base64"), name).toHaveLength(32);
    }
  });

  it("prove no other entry than the one that was sealed", () => {
    const sealed = new Set<string | undefined>();
    for (const { name, bytes, isOriginal } of fuzzInputs("proofs", import.meta.url)) {
      const check = checkProof(bytes.toString(), [segments.key.vkey]);
      if (isOriginal) sealed.add(check.line);
      else if (check.exitCode === 0) expect(sealed, name).toContain(check.line);
    }
  });

  it("open as a JWE only to a text that was encrypted", () => {
    const texts = new Set(encryptionVectors.contents.map(({ text }) => text));
    const keys = encryptionVectors.contents.map(({ content_key: key }) =>
      createSecretKey(Buffer.from(key, "base64url")),
    );
    for (const { name, bytes } of fuzzInputs("jwe", import.meta.url)) {
      const jwe = answerOf(name, () => parseJwe(bytes.toString()));
      for (const key of jwe ? keys : []) {
        const text = answerOf(name, () => openJwe(jwe ?? parseJwe(""), key));
        if (text !== undefined) expect(texts, name).toContain(text);
      }
    }
  });

  it("open as a Fernet token only to a text that was encrypted", () => {
    const key = decodeKey(fernet.secret, "the secret");
    for (const { name, bytes } of fuzzInputs("fernet", import.meta.url)) {
      const text = answerOf(name, () => openFernet(bytes.toString(), [key]));
      if (text !== undefined) expect(text, name).toBe("hello");
    }
  });
});

describe("A directory with a damaged segment", { timeout: 600_000 }, () => {
  it("is read and verified without an error, and never proven with a line that was not sealed", async () => {
    const path = await temporaryDirectory();
    const sealed = new Set<string>();
    let count = 0;
    for (const { name, bytes, isOriginal } of fuzzInputs("segments", import.meta.url)) {
      count += 1;
      if (!isOriginal && count % times(20, 1) !== 0) continue;
      const folder = join(path, `${count}`);
      mkdirSync(folder);
      const [, file = ""] = /^(audit_\d{8})/.exec(name) ?? [];
      writeFileSync(join(folder, `${file}.jsonl`), bytes);
      const { exitCode } = await verifyLog(folder, { trustedKeys: [segments.key.vkey] });
      expect([0, 1, 2, 3], name).toContain(exitCode);
      const lines = bytes.toString().split("\n");
      if (isOriginal) for (const line of lines) sealed.add(line);
      else if (exitCode === 0)
        expect(
          lines.filter((line) => !sealed.has(line)),
          name,
        ).toEqual([]);
      await using logger = new AuditLogger(folder);
      for await (const { id } of logger.entries()) expect(typeof id, name).toBe("string");
    }
  });
});
