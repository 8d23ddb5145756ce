import * as fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { digestBase64, digestBytes, digestDataUrl, INLINE_BYTES } from "../../src/capture/index.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("a binary payload", () => {
  it("of more than the limit is its length and its SHA-256, as base64, base64url or data URL", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.nat({ max: 120 }), (bytes, limit) => {
        const digest =
          bytes.byteLength > limit ? { bytes: bytes.byteLength, sha256: sha256(bytes) } : undefined;
        const base64 = Buffer.from(bytes).toString("base64");
        expect(digestBase64(base64, limit)).toEqual(digest);
        expect(digestBase64(Buffer.from(bytes).toString("base64url"), limit)).toEqual(digest);
        expect(digestDataUrl(`data:;base64,${base64}`, limit)).toEqual(digest);
        expect(digestDataUrl(`DATA:image/png;name=a;base64,${base64}`, limit)).toEqual(
          digest && { mime: "image/png", ...digest },
        );
      }),
    );
  });

  it("has the type it is given", () => {
    const bytes = Buffer.alloc(INLINE_BYTES + 1, 7);
    const digest = { mime: "audio/wav", bytes: INLINE_BYTES + 1, sha256: sha256(bytes) };
    expect(digestBytes(bytes, "audio/wav")).toEqual(digest);
    expect(digestBase64(bytes.toString("base64"), undefined, "audio/wav")).toEqual(digest);
    expect(digestBase64(bytes.subarray(1).toString("base64"))).toBeUndefined();
  });

  it("is not what other long texts are", () => {
    const text = "What is it? ".repeat(1000);
    expect(digestBase64(text)).toBeUndefined();
    expect(digestDataUrl(text)).toBeUndefined();
    expect(digestDataUrl(`data:text/plain,${text}`)).toBeUndefined();
  });
});
