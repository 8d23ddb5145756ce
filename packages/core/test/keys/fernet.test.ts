import { ORIGINAL_LOGS } from "@ai-audit/test-support/original";
import { readFileSync } from "node:fs";
import { assert, property, string } from "fast-check";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isFernetToken, openFernet, sealFernet, wrapFernet } from "../../src/keys/fernet.ts";
import { decodeKey, generateKey } from "../../src/keys/keys.ts";
import { AuditDecryptError } from "../../src/errors.ts";
import { caught } from "@ai-audit/test-support/caught";
import { fernetVectors } from "./vectors.ts";

const key = decodeKey(fernetVectors.secret, "k");

describe("the Fernet specification's vectors", () => {
  it.each(fernetVectors.generate)("generate $token", ({ token, now, iv, src }) => {
    expect(sealFernet(src, key, { now: new Date(now), iv: Uint8Array.from(iv) })).toBe(token);
  });

  it.each(fernetVectors.verify)("verify $token", ({ token, now, ttl_sec, src }) => {
    expect(openFernet(token, [key], { now: new Date(now), lifetimeSeconds: ttl_sec })).toBe(src);
  });

  const reasons: Record<string, string> = {
    "incorrect mac": "was altered, or made under a key that is not known here",
    "payload padding error": "is padded wrongly",
    "incorrect IV (causes padding error)": "is padded wrongly",
    "far-future TS (unacceptable clock skew)": "comes from the future",
    "expired TTL": "is older than allowed",
  };
  it.each(fernetVectors.invalid)("refuse $desc", ({ token, now, ttl_sec, desc }) => {
    const error = caught(() =>
      openFernet(token, [key], { now: new Date(now), lifetimeSeconds: ttl_sec }),
    );
    expect(error).toBeInstanceOf(AuditDecryptError);
    expect(error).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: `The encrypted content ${reasons[desc] ?? "is neither a JWE nor a Fernet token"}`,
    });
  });
});

describe("a Fernet token", () => {
  it("gives back any well-formed text, also in the original's second layer of base64", () => {
    assert(
      property(string({ unit: "binary" }), (text) => {
        const token = sealFernet(text, key);
        expect(openFernet(token, [key])).toBe(text.toWellFormed());
        expect(openFernet(wrapFernet(token), [key])).toBe(text.toWellFormed());
        expect(isFernetToken(token) && isFernetToken(wrapFernet(token))).toBe(true);
      }),
    );
  });

  it("opens under whichever of several keys made it", () => {
    const others = [generateKey(), generateKey()].map((text) => decodeKey(text, "k"));
    expect(openFernet(sealFernet("x", key), [...others, key])).toBe("x");
    expect(caught(() => openFernet(sealFernet("x", key), others))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
    });
  });

  it("is told from other text", () => {
    for (const text of ["", "Hello!", "gAAAAA==", "Z0FBQUFB", "0".repeat(128), generateKey()]) {
      expect(isFernetToken(text)).toBe(false);
    }
  });
});

interface Expected {
  readonly mode: string;
  readonly id: string;
  readonly input: string;
  readonly output: string;
}

describe("a log of the Python original", () => {
  it("opens with its key: every input and output", () => {
    const master = decodeKey(readFileSync(join(ORIGINAL_LOGS, "key.txt"), "utf8").trim(), "k");
    const expected: readonly Expected[] = JSON.parse(
      readFileSync(join(ORIGINAL_LOGS, "expected.json"), "utf8"),
    );
    const lines = readFileSync(join(ORIGINAL_LOGS, "encrypted/audit_20261123.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    const opened = lines.map((line) => {
      const entry: { id: string; input_content: string; output_content: string } = JSON.parse(line);
      const [input, output] = [entry.input_content, entry.output_content].map((text) =>
        openFernet(text, [master]),
      );
      return { mode: "encrypted", id: entry.id, input, output };
    });
    expect(opened).toHaveLength(12);
    expect(opened).toEqual(expected.filter(({ mode }) => mode === "encrypted"));
  });
});
