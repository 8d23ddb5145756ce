import { inspect } from "node:util";
import { compactDecrypt } from "jose";
import { describe, expect, it } from "vitest";
import { openJwe, parseJwe, encryptJwe } from "../../src/keys/jwe.ts";
import { AuditDecryptError } from "../../src/errors.ts";
import { caught } from "@ai-audit/test-support/caught";
import { encryptionVectors, keyOf } from "./vectors.ts";

const [vector] = encryptionVectors.contents;
if (vector === undefined) throw new Error("vectors expected");
const { jwe: token, kid } = vector;
const parts = token.split(".");

describe("a JWE", () => {
  it.each(encryptionVectors.contents)("has the bytes of the vector: $name", (v) => {
    const header: { kid: string; cty: string } = JSON.parse(v.header);
    const sealed = encryptJwe(v.text, keyOf(v.content_key), header, Buffer.from(v.iv, "base64url"));
    expect(sealed).toBe(v.jwe);
    expect(Buffer.from(sealed.split(".")[0] ?? "", "base64url").toString()).toBe(v.header);
  });

  it.each(encryptionVectors.contents)("opens with its key: $name", (v) => {
    const parsed = parseJwe(v.jwe);
    expect(parsed.kid).toBe(v.kid);
    expect(openJwe(parsed, keyOf(v.content_key))).toBe(v.text);
  });

  it.each(encryptionVectors.contents)("opens in jose: $name", async (v) => {
    const { plaintext, protectedHeader } = await compactDecrypt(
      v.jwe,
      Buffer.from(v.content_key, "base64url"),
      {
        keyManagementAlgorithms: ["dir"],
        contentEncryptionAlgorithms: ["A256GCM"],
      },
    );
    expect(Buffer.from(plaintext).toString()).toBe(v.text);
    expect(protectedHeader).toEqual(JSON.parse(v.header));
  });

  it("holds well-formed text: a lone surrogate becomes U+FFFD", () => {
    const key = keyOf(vector.content_key);
    const sealed = encryptJwe("a\uD800b", key, { kid, cty: "text/plain" }, Buffer.alloc(12));
    expect(openJwe(parseJwe(sealed), key)).toBe("a\uFFFDb");
  });

  it("keeps a byte order mark, NUL and text of a megabyte as they are", () => {
    const key = keyOf(vector.content_key);
    for (const text of ["\uFEFFx", "\0", "日".repeat(350_000)]) {
      const sealed = encryptJwe(text, key, { kid, cty: "text/plain" }, Buffer.alloc(12));
      expect(openJwe(parseJwe(sealed), key)).toBe(text);
    }
  });

  it("is not made with an iv of another length than 96 bits", () => {
    expect(() =>
      encryptJwe("x", keyOf(vector.content_key), { kid, cty: "text/plain" }, Buffer.alloc(16)),
    ).toThrow(new RangeError("iv must be 12 bytes"));
  });

  it("is refused when any one character of it is changed", () => {
    const key = keyOf(vector.content_key);
    for (let index = 0; index < token.length; index += 1) {
      const other = token[index] === "A" ? "B" : "A";
      const changed = token.slice(0, index) + other + token.slice(index + 1);
      const error = caught(() => openJwe(parseJwe(changed), key));
      expect(error, `character ${index}`).toBeInstanceOf(AuditDecryptError);
      expect(error).toMatchObject({ code: "AUDIT_DECRYPT_FAILED" });
    }
  });

  it("is refused under another key", () => {
    const error = caught(() => openJwe(parseJwe(token), keyOf(vector.digest_key)));
    expect(error).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message:
        'The encrypted content was altered, or made under another key than the "v1" known here',
    });
  });
});

describe("parsing a JWE", () => {
  const withHeader = (header: unknown): string =>
    [Buffer.from(JSON.stringify(header)).toString("base64url"), ...parts.slice(1)].join(".");
  const good = { alg: "dir", enc: "A256GCM", kid, cty: "text/plain" };

  it("ignores header parameters it does not know, as RFC 7516 section 4 says", () => {
    expect(parseJwe(withHeader({ typ: "JWE", ...good })).kid).toBe(kid);
    expect(parseJwe(withHeader({ alg: "dir", enc: "A256GCM", kid })).cty).toBeUndefined();
  });

  it.each([
    ["", "is not a compact JWE with a direct key"],
    ["a prompt. With five. Parts. In. It", "is not a compact JWE with a direct key"],
    [parts.slice(0, 4).join("."), "is not a compact JWE with a direct key"],
    [`${token}.x`, "is not a compact JWE with a direct key"],
    [[parts[0], "AAAA", ...parts.slice(2)].join("."), "is not a compact JWE with a direct key"],
    [`${token}=`, "is not base64url of an iv, a ciphertext and a tag"],
    [`${token} `, "is not base64url of an iv, a ciphertext and a tag"],
    [
      [...parts.slice(0, 2), "AAAA", ...parts.slice(3)].join("."),
      "is not base64url of an iv, a ciphertext and a tag",
    ],
    [
      [...parts.slice(0, 4), "AAAAAAAAAAAAAAAA"].join("."),
      "is not base64url of an iv, a ciphertext and a tag",
    ],
    [
      [...parts.slice(0, 3), "qUaeywZ+", parts[4]].join("."),
      "is not base64url of an iv, a ciphertext and a tag",
    ],
    [["e30=", ...parts.slice(1)].join("."), "has a header that is not JSON"],
    [["e3", ...parts.slice(1)].join("."), "has a header that is not JSON"],
    [withHeader(null), "has a header that is not supported"],
    [withHeader({ ...good, crit: ["exp"] }), "has a header that is not supported"],
    [withHeader({ ...good, zip: "DEF" }), "has a header that is not supported"],
    [withHeader({ ...good, alg: "A256KW" }), "is not made with dir and A256GCM"],
    [withHeader({ ...good, alg: "none" }), "is not made with dir and A256GCM"],
    [withHeader({ ...good, enc: "A128GCM" }), "is not made with dir and A256GCM"],
    [withHeader([good]), "is not made with dir and A256GCM"],
    [withHeader({ ...good, kid: undefined }), "names no key"],
    [withHeader({ ...good, kid: 7 }), "names no key"],
    [withHeader({ ...good, cty: 7 }), "has a content type that is not text"],
  ])("refuses %j", (text, reason) => {
    const error = caught(() => parseJwe(text));
    expect(error).toBeInstanceOf(AuditDecryptError);
    expect(error).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: `The encrypted content ${reason}`,
    });
  });

  it("does not quote what stands in the header's place", () => {
    const text = [Buffer.from("my PIN is 1234").toString("base64url"), ...parts.slice(1)].join(".");
    const error = caught(() => parseJwe(text));
    expect(error).toMatchObject({ message: "The encrypted content has a header that is not JSON" });
    expect(inspect(error, { depth: 10 })).not.toContain("1234");
  });
});
