import { describe, expect, it } from "vitest";
import { formatKid, isKeyId, MESSAGES_PER_KEY, parseKid, streamAfter } from "../../src/keys/kid.ts";

describe("a kid", () => {
  it.each([
    ["v1.c3RyZWFt", { keyId: "v1", stream: "c3RyZWFt", subjectId: undefined }],
    ["k0a-_.s~1.c3Vi", { keyId: "k0a-_", stream: "s~1", subjectId: "c3Vi" }],
  ])("names key, stream and subject: %s", (kid, parts) => {
    expect(parseKid(kid)).toEqual(parts);
    expect(formatKid(parts.keyId, parts.stream, parts.subjectId)).toBe(kid);
  });

  it.each([
    "",
    "v1",
    "v1.",
    ".s",
    "v1.s.",
    "v1.s.p.q",
    "v1.s t",
    "v1.s\n",
    "v/1.s",
    "v~1.s",
    `${"k".repeat(65)}.s`,
  ])("is not %j", (kid) => {
    expect(parseKid(kid)).toBeUndefined();
  });

  it.each([
    ["a.b", undefined],
    ["", undefined],
    ["s", "p.q"],
    ["s", ""],
  ])(
    "is never formed of a stream %j and a subject %j that would read back differently",
    (stream, subject) => {
      expect(() => formatKid("v1", stream, subject)).toThrow(
        new TypeError("a stream or subject id is not made of [A-Za-z0-9_~-]"),
      );
    },
  );

  it.each([
    ["v2", true],
    ["2026-11_prod", true],
    ["", false],
    ["a.b", false],
    ["ключ", false],
    ["k".repeat(65), false],
  ])("begins with a key id: %j is one: %s", (id, expected) => {
    expect(isKeyId(id)).toBe(expected);
  });
});

describe("a stream's key", () => {
  it("is replaced after 2^30 messages", () => {
    expect(MESSAGES_PER_KEY).toBe(1_073_741_824);
    expect(streamAfter("s", 0)).toBe("s");
    expect(streamAfter("s", 2 ** 30 - 1)).toBe("s");
    expect(streamAfter("s", 2 ** 30)).toBe("s~1");
    expect(streamAfter("s", 2 ** 31 - 1)).toBe("s~1");
    expect(streamAfter("s", 2 ** 31)).toBe("s~2");
  });
});
