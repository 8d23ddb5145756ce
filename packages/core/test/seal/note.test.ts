import { verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { AuditConfigError } from "../../src/errors.ts";
import {
  formatCheckpoint,
  formatNote,
  formatSignatureLine,
  isKeyName,
  parseCheckpoint,
  parseNote,
  parseVkey,
} from "../../src/seal/note.ts";
import { caught } from "@ai-audit/test-support/caught";

// The published example of golang.org/x/mod/sumdb/note, the origin of C2SP signed-note.
const VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE_LINE =
  "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

describe("a signed note", () => {
  it("is read as Go's note package writes it, and its signature verifies", () => {
    const note = parseNote(formatNote(TEXT, [SIGNATURE_LINE]));
    const key = parseVkey(VKEY);
    expect(note?.text).toBe(TEXT);
    expect(note?.signatures.map(({ name, keyHash }) => ({ name, keyHash }))).toEqual([
      { name: "PeterNeumann", keyHash: "c74f20a3" },
    ]);
    const [line] = note?.signatures ?? [];
    expect(line && verify(null, Buffer.from(TEXT), key.publicKey, line.signature)).toBe(true);
    expect(line && formatSignatureLine(line)).toBe(SIGNATURE_LINE);
  });

  it("may have blank lines in its text", () => {
    expect(parseNote(formatNote("a\n\nb\n", [SIGNATURE_LINE]))?.text).toBe("a\n\nb\n");
  });

  it("is read without signatures, with and without the blank line", () => {
    expect(parseNote("text\n")).toEqual({ text: "text\n", signatures: [] });
    expect(parseNote("text\n\n")).toEqual({ text: "text\n", signatures: [] });
  });

  it("keeps several signature lines, also of lengths that no Ed25519 signature has", () => {
    const witness = "— witness.example AAAAAAE=\n";
    const note = parseNote(formatNote(TEXT, [SIGNATURE_LINE, witness]));
    expect(note?.signatures.map(({ name }) => name)).toEqual(["PeterNeumann", "witness.example"]);
  });

  it.each([
    ["nothing", ""],
    ["no final line feed", "text"],
    ["no text", `\n\n${SIGNATURE_LINE}`],
    ["a control character", `te\txt\n\n${SIGNATURE_LINE}`],
    ["a carriage return", `text\r\n\n${SIGNATURE_LINE}`],
    ["a lone surrogate", `te\uD800xt\n\n${SIGNATURE_LINE}`],
    ["a hyphen for the dash", `${TEXT}\n${SIGNATURE_LINE.replace("—", "-")}`],
    ["a signature that is not canonical base64", `${TEXT}\n— name AAAAAAF=\n`],
    ["a signature without anything after the key hash", `${TEXT}\n— name AAAAAA==\n`],
    ["a name with a plus", `${TEXT}\n— na+me AAAAAAE=\n`],
    ["two spaces", `${TEXT}\n—  name AAAAAAE=\n`],
    ["text after the signatures", `${TEXT}\n${SIGNATURE_LINE}more\n`],
    ["65 signatures", `${TEXT}\n${SIGNATURE_LINE.repeat(65)}`],
  ])("is none with %s", (_, note) => {
    expect(parseNote(note)).toBeUndefined();
  });
});

describe("a checkpoint", () => {
  const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";

  it("reads back what was written", () => {
    const checkpoint = { origin: "example.com/behind-the-sofa", size: 20852163, root };
    const text = `example.com/behind-the-sofa\n20852163\n${root}\n`;
    expect(formatCheckpoint(checkpoint)).toBe(text);
    expect(parseCheckpoint(text)).toEqual(checkpoint);
  });

  it.each([
    ["a leading zero", `o\n01\n${root}\n`],
    ["a sign", `o\n+1\n${root}\n`],
    ["a fraction", `o\n1.0\n${root}\n`],
    ["a size that no number holds", `o\n9007199254740993\n${root}\n`],
    ["no origin", `\n1\n${root}\n`],
    ["a short root", "o\n1\nAAAA\n"],
    ["a root with other padding bits", `o\n1\n${root.replace("I=", "J=")}\n`],
    ["an extension line", `o\n1\n${root}\nmore\n`],
    ["no final line feed", `o\n1\n${root}`],
  ])("is none with %s", (_, text) => {
    expect(parseCheckpoint(text)).toBeUndefined();
  });
});

describe("a verification key", () => {
  it.each([
    ["nothing", ""],
    ["two parts", "name+c74f20a3"],
    ["capital hash digits", VKEY.replace("c74f20a3", "C74F20A3")],
    ["another algorithm", "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"],
    ["a short key", "PeterNeumann+c74f20a3+ARpc"],
    ["a name with a space", VKEY.replace("PeterN", "Peter N")],
  ])("is refused with %s", (_, vkey) => {
    const error = caught(() => parseVkey(vkey));
    expect(error).toBeInstanceOf(AuditConfigError);
    expect(error).toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message:
        "A verification key must look like <name>+<8 hex digits>+<base64 of an Ed25519 public key>",
    });
  });

  it.each([
    ["another name", VKEY.replace("Peter", "Paula")],
    ["another hash", VKEY.replace("c74f20a3", "c74f20a4")],
  ])("is refused under %s than its hash was made of", (_, vkey) => {
    expect(caught(() => parseVkey(vkey))).toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message: expect.stringMatching(
        /^The verification key of Pa?[ue]\w+ does not have its own hash$/,
      ),
    });
  });

  it.each(["bank-prod", "example.com/audit", "ключ", "a"])("may be called %s", (name) => {
    expect(isKeyName(name)).toBe(true);
  });

  it.each(["", "a b", "a+b", "a\nb", "a\u00A0b", "a\u2028b", "a\u0085b", "a\u0000b", "\uD800"])(
    "may not be called %j",
    (name) => {
      expect(isKeyName(name)).toBe(false);
    },
  );
});
