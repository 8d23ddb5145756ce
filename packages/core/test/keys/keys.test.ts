import { describe, expect, it } from "vitest";
import { decodeKey, deriveKey, encodeKey, fingerprint, generateKey } from "../../src/keys/keys.ts";
import { AuditConfigError } from "../../src/errors.ts";
import { caught } from "@ai-audit/test-support/caught";
import { encryptionVectors, subjectOf, textOf } from "./vectors.ts";

describe("master keys", () => {
  it("are 32 bytes in 44 characters of padded base64url, as Python's Fernet writes and reads them", () => {
    const keys = Array.from({ length: 200 }, () => generateKey());
    for (const key of keys) {
      expect(key).toMatch(/^[\w-]{43}=$/);
      expect(Buffer.from(key, "base64url").byteLength).toBe(32);
    }
    expect(new Set(keys).size).toBe(200);
  });

  it("are read with and without padding, and written with it", () => {
    const key = generateKey();
    expect(encodeKey(decodeKey(key, "k"))).toBe(key);
    expect(encodeKey(decodeKey(key.slice(0, 43), "k"))).toBe(key);
  });

  const good = encryptionVectors.key_ids[1]?.key ?? "";
  it.each([
    ["is empty", ""],
    ["is a byte short", Buffer.alloc(31, 1).toString("base64url")],
    ["is a byte long", Buffer.alloc(33, 1).toString("base64url")],
    ["is in plain base64", Buffer.alloc(32, 0xfb).toString("base64")],
    ["is padded twice", `${good}=`],
    ["has a line feed at its end", `${good}\n`],
    ["has stray bits in its last character", `${good.slice(0, 42)}9`],
    ["is hexadecimal", "ab".repeat(32)],
    ["is a pass phrase", "correct horse battery staple"],
  ])("are refused when the text %s, without showing it", (_, text) => {
    const error = caught(() => decodeKey(text, "The encryption key"));
    expect(error).toBeInstanceOf(AuditConfigError);
    expect(error).toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message:
        'The encryption key is not a key: expected 32 bytes as base64url (43 characters, or 44 with "="), as generateKey() makes them',
    });
  });

  it.each(encryptionVectors.key_ids)(
    "have a fingerprint that HKDF gives: the $name key",
    ({ key, key_id }) => {
      expect(fingerprint(decodeKey(key, "k"))).toBe(key_id);
    },
  );
});

describe("derived keys", () => {
  it.each(encryptionVectors.contents)("are what HKDF-SHA256 gives for the kid: $name", (vector) => {
    const master = decodeKey(vector.key, "k");
    const subject = subjectOf(vector);
    expect(textOf(deriveKey(master, "enc", vector.kid, subject))).toBe(vector.content_key);
    expect(textOf(deriveKey(master, "dig", vector.kid, subject))).toBe(vector.digest_key);
  });

  it("differ by purpose, stream, master key and subject's secret", () => {
    const [a, b] = encryptionVectors.key_ids.map(({ key }) => decodeKey(key, "k"));
    if (a === undefined || b === undefined) throw new Error("two master keys expected");
    const keys = [
      deriveKey(a, "enc", "v1.s"),
      deriveKey(a, "dig", "v1.s"),
      deriveKey(a, "enc", "v1.t"),
      deriveKey(b, "enc", "v1.s"),
      deriveKey(a, "enc", "v1.s.p", { id: "p", secret: a }),
      deriveKey(a, "enc", "v1.s.p", { id: "p", secret: b }),
    ];
    expect(new Set(keys.map(textOf)).size).toBe(keys.length);
  });
});
