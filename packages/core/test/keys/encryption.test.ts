import { inspect } from "node:util";
import { assert, property, string } from "fast-check";
import { describe, expect, it } from "vitest";
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { sealFernet, wrapFernet } from "../../src/keys/fernet.ts";
import { decodeKey, fingerprint, generateKey } from "../../src/keys/keys.ts";
import { AuditConfigError, AuditDecryptError } from "../../src/errors.ts";
import { caught } from "@ai-audit/test-support/caught";
import { encryptionVectors, subjectOf } from "./vectors.ts";

const stream = "c3RyZWFtLW51bWJl";
const text = { text: "Hello!", format: undefined };
const input = { id: "01981f6c-3a00-7abc-8def-0123456789ab", field: "input" } as const;

function headerOf(token: string): Record<string, string> {
  return JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
}

describe("EncryptionManager by itself", () => {
  it("gives back what another manager with the same key encrypted", () => {
    const key = generateKey();
    const [writer, reader] = [new EncryptionManager(key), new EncryptionManager(key)];
    assert(
      property(string({ unit: "binary" }), (any) => {
        expect(reader.decrypt(writer.encrypt(any))).toBe(any.toWellFormed());
      }),
    );
  });

  it("writes a JWE with a key id, a stream of its own and the type text/plain", () => {
    const manager = new EncryptionManager();
    const header = headerOf(manager.encrypt("x"));
    expect(Object.keys(header)).toEqual(["alg", "enc", "kid", "cty"]);
    expect(header).toMatchObject({ alg: "dir", enc: "A256GCM", cty: "text/plain" });
    expect(header["kid"]).toMatch(new RegExp(`^${manager.keyId}\\.[\\w-]{16}$`));
    expect(headerOf(new EncryptionManager(manager.getKey()).encrypt("x"))["kid"]).not.toBe(
      header["kid"],
    );
  });

  it("never writes the same ciphertext twice", () => {
    const manager = new EncryptionManager();
    expect(new Set(Array.from({ length: 2000 }, () => manager.encrypt("x"))).size).toBe(2000);
  });

  it("opens Fernet tokens of its keys, with the original's second layer too", () => {
    const [v1, v2] = [generateKey(), generateKey()];
    const token = sealFernet("naïve 🚀", decodeKey(v1, "k"));
    for (const manager of [
      new EncryptionManager(v1),
      new EncryptionManager({ current: "v2", keys: { v1, v2 } }),
    ]) {
      expect(manager.decrypt(token)).toBe("naïve 🚀");
      expect(manager.decrypt(wrapFernet(token))).toBe("naïve 🚀");
      expect(manager.open(wrapFernet(token), input)).toBe("naïve 🚀");
    }
  });

  it.each(["", "Hello!", "Hello. World.", "a.b.c.d.e"])(
    "refuses %j, which is no ciphertext",
    (plain) => {
      const error = caught(() => new EncryptionManager().decrypt(plain));
      expect(error).toBeInstanceOf(AuditDecryptError);
      expect(error).toMatchObject({ code: "AUDIT_DECRYPT_FAILED" });
    },
  );
});

describe("EncryptionManager's key", () => {
  it("is generated when none is given, and unread until somebody asks for it", () => {
    const manager = new EncryptionManager();
    manager.encrypt("x");
    expect(manager.unread).toBe(true);
    expect(new EncryptionManager(manager.getKey()).keyId).toBe(manager.keyId);
    expect(manager.unread).toBe(false);
  });

  it("is not unread when it was given", () => {
    const key = generateKey();
    expect(new EncryptionManager(key).unread).toBe(false);
    expect(new EncryptionManager({ current: "v1", keys: { v1: key } }).unread).toBe(false);
    expect(new EncryptionManager(key).getKey()).toBe(key);
  });

  it("shows nowhere: not printed, not serialised, not enumerable", () => {
    const [v1, v2] = [generateKey(), generateKey()];
    const manager = new EncryptionManager({ current: "v2", keys: { v1, v2 } });
    manager.encrypt("x");
    const shown = [
      inspect(manager, { depth: 20, showHidden: true, getters: true }),
      JSON.stringify(manager),
      inspect(Object.entries(manager)),
    ].join("\n");
    for (const key of [v1, v2]) {
      const bytes = Buffer.from(key, "base64url");
      for (const form of [
        key.slice(0, 43),
        bytes.toString("hex"),
        bytes.toString("base64").slice(0, 42),
      ]) {
        expect(shown).not.toContain(form);
      }
    }
    expect(shown).toContain("v2");
  });
});

describe("what an EncryptionManager is given wrongly", () => {
  it("is refused by name when it is an option that there is not", () => {
    const misspelt: object = { subject: undefined };
    expect(caught(() => new EncryptionManager(undefined, misspelt))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: 'EncryptionManager: option "subject" is unknown: there are subjects, messagesPerKey',
    });
  });

  it("is no ciphertext when it is no text: an entry whose hash alone was kept has null there", () => {
    const absent: unknown = null;
    expect(caught(() => new EncryptionManager().decrypt(absent as string))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: "The encrypted content is not text",
    });
  });
});

describe("a key ring", () => {
  const [v1, v2] = [generateKey(), generateKey()];

  it("writes with its current key and reads with all of them", () => {
    const before = new EncryptionManager({ current: "v1", keys: { v1 } });
    const old = before.encrypt("old");
    const after = new EncryptionManager({ current: "v2", keys: { v1, v2 } });
    expect(headerOf(after.encrypt("new"))["kid"]).toMatch(/^v2\./);
    expect(after.decrypt(old)).toBe("old");
    expect(after.decrypt(after.encrypt("new"))).toBe("new");
    expect(after.getKey()).toBe(v2);
  });

  it("reads what its keys wrote when they were alone", () => {
    const token = new EncryptionManager(v1).encrypt("alone");
    expect(new EncryptionManager({ current: "v2", keys: { v1, v2 } }).decrypt(token)).toBe("alone");
  });

  it("says which key is missing, and nothing secret", () => {
    const token = new EncryptionManager({ current: "v1", keys: { v1 } }).encrypt("secret text");
    const error = caught(() =>
      new EncryptionManager({ current: "v2", keys: { v2 } }).decrypt(token),
    );
    expect(error).toBeInstanceOf(AuditDecryptError);
    expect(error).toMatchObject({
      code: "AUDIT_KEY_MISSING",
      message: 'The key "v1" is needed and is not known here',
    });
  });

  it("fails with a wrong key under the right id, says which, and nothing secret", () => {
    const token = new EncryptionManager({ current: "v1", keys: { v1 } }).encrypt("secret text");
    const error = caught(() =>
      new EncryptionManager({ current: "v1", keys: { v1: v2 } }).decrypt(token),
    );
    expect(error).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message:
        'The encrypted content was altered, or made under another key than the "v1" known here',
    });
    const shown = inspect(error, { depth: 10 });
    for (const secret of [v1.slice(0, 43), v2.slice(0, 43), "secret text"])
      expect(shown).not.toContain(secret);
  });

  it.each([
    [
      { current: "v3", keys: { v1, v2 } },
      "AUDIT_CONFIG_INVALID",
      "The key ring's current key is not among its keys",
    ],
    [
      { current: "v.1", keys: { "v.1": v1 } },
      "AUDIT_CONFIG_INVALID",
      "A key id must be 1 to 64 characters of [A-Za-z0-9_-]",
    ],
    [
      { current: "v1", keys: { v1, v2: "short" } },
      "AUDIT_KEY_INVALID",
      'The encryption key "v2" is not a key: expected 32 bytes as base64url (43 characters, or 44 with "="), as generateKey() makes them',
    ],
  ])("is refused when it makes no sense: %#", (ring, code, message) => {
    const error = caught(() => new EncryptionManager(ring));
    expect(error).toBeInstanceOf(AuditConfigError);
    expect(error).toMatchObject({ code, message });
  });

  it("is refused when an id is the fingerprint of another of its keys", () => {
    const id = fingerprint(decodeKey(v1, "k"));
    const error = caught(() => new EncryptionManager({ current: id, keys: { [id]: v2, v1 } }));
    expect(error).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: `The key id "${id}" is the fingerprint of another key of the ring`,
    });
  });
});

describe("EncryptionManager.fromEnv", () => {
  it("takes the key from AUDIT_ENCRYPTION_KEY, or from the variable named", () => {
    const key = generateKey();
    expect(
      EncryptionManager.fromEnv(undefined, {}, { AUDIT_ENCRYPTION_KEY: `${key}\n` }).getKey(),
    ).toBe(key);
    expect(EncryptionManager.fromEnv("OTHER", {}, { OTHER: key }).getKey()).toBe(key);
  });

  it.each([{}, { AUDIT_ENCRYPTION_KEY: "" }, { AUDIT_ENCRYPTION_KEY: " " }])(
    "names a variable that is not set",
    (env) => {
      const error = caught(() => EncryptionManager.fromEnv(undefined, {}, env));
      expect(error).toBeInstanceOf(AuditConfigError);
      expect(error).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: "The environment variable AUDIT_ENCRYPTION_KEY is not set: it must hold a key",
      });
    },
  );

  it("names a variable that holds no key, and does not show what it holds", () => {
    const error = caught(() =>
      EncryptionManager.fromEnv(undefined, {}, { AUDIT_ENCRYPTION_KEY: "hunter2" }),
    );
    expect(error).toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message:
        'The environment variable AUDIT_ENCRYPTION_KEY is not a key: expected 32 bytes as base64url (43 characters, or 44 with "="), as generateKey() makes them',
    });
    expect(inspect(error, { depth: 10 })).not.toContain("hunter2");
  });
});

describe("sealing an entry's content", () => {
  const manager = new EncryptionManager();
  const kid = manager.kidFor(stream);

  it("binds it to its entry and field by cty", () => {
    const token = manager.encryptContent(text, { ...input, kid });
    expect(headerOf(token)).toEqual({
      alg: "dir",
      enc: "A256GCM",
      kid: `${manager.keyId}.${stream}`,
      cty: `text/plain; id=${input.id}; field=input`,
    });
    expect(manager.open(token, input)).toBe("Hello!");
    expect(manager.open(token)).toBe("Hello!");
    const json = manager.encryptContent({ text: "[1]", format: "json" }, { ...input, kid });
    expect(headerOf(json)["cty"]).toBe(`application/json; id=${input.id}; field=input`);
    expect(manager.open(json, input)).toBe("[1]");
  });

  it.each([
    ["the other field", { ...input, field: "output" } as const],
    ["another entry", { ...input, id: "01981f6c-3a00-7abc-8def-000000000000" }],
  ])("is refused as %s", (_, elsewhere) => {
    const token = manager.encryptContent(text, { ...input, kid });
    expect(caught(() => manager.open(token, elsewhere))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: "The encrypted content belongs to another entry or field",
    });
  });

  it("is refused where an unbound text stands in for it", () => {
    expect(caught(() => manager.open(manager.encrypt("x"), input))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
    });
  });

  it("needs a kid of kidFor with the same subject", () => {
    const [, withSubject] = encryptionVectors.contents;
    const subject = withSubject && subjectOf(withSubject);
    if (subject === undefined) throw new Error("a vector with a subject expected");
    const wrong = new TypeError("kid must come from kidFor() with the same subject");
    expect(() => manager.digest("x", `${manager.keyId}.new1`, subject)).toThrow(wrong);
    expect(() => manager.digest("x", `${manager.keyId}.new2.${subject.id}`)).toThrow(wrong);
    expect(() => manager.digest("x", "nonsense")).toThrow(wrong);
    const named = manager.kidFor(stream, subject);
    manager.digest("x", named, subject);
    manager.digest("x", kid);
    expect(() => manager.digest("x", named)).toThrow(wrong); // though its keys are at hand by now
    expect(() => manager.encryptContent(text, { ...input, kid: named })).toThrow(wrong);
    expect(() => manager.digest("x", kid, subject)).toThrow(wrong);
    expect(() => manager.kidFor("a.b")).toThrow(TypeError);
  });

  it("needs the subject's secret for a subject's content: the master key alone does not open it", () => {
    const [, vector] = encryptionVectors.contents;
    if (vector === undefined) throw new Error("vector expected");
    const reader = new EncryptionManager({ current: "v1", keys: { v1: vector.key } });
    expect(caught(() => reader.open(vector.jwe))).toMatchObject({
      code: "AUDIT_KEY_MISSING",
      message: `The secret of the data subject "${vector.subject_id}" is needed and is not known here`,
    });
  });

  it.each(["nokid", "a/b.c", "v1.s.p.q"])("is refused with the kid %j of another form", (other) => {
    const [head = "", ...rest] = manager.encryptContent(text, { ...input, kid }).split(".");
    const header = { ...JSON.parse(Buffer.from(head, "base64url").toString()), kid: other };
    const token = [Buffer.from(JSON.stringify(header)).toString("base64url"), ...rest].join(".");
    expect(caught(() => manager.open(token))).toMatchObject({
      code: "AUDIT_DECRYPT_FAILED",
      message: "The encrypted content does not name a key in this log's form",
    });
  });

  it("moves on to another key after so many messages, and reads both", () => {
    const key = generateKey();
    const writer = new EncryptionManager(key, { messagesPerKey: 3 });
    const sealed = Array.from({ length: 8 }, (_, n) => {
      return writer.encryptContent(
        { text: `${n}`, format: undefined },
        { ...input, kid: writer.kidFor(stream) },
      );
    });
    const streams = sealed.map((token) => headerOf(token)["kid"]?.split(".")[1]);
    const [s, s1, s2] = [stream, `${stream}~1`, `${stream}~2`];
    expect(streams).toEqual([s, s, s, s1, s1, s1, s2, s2]);
    const reader = new EncryptionManager(key);
    expect(sealed.map((token) => reader.open(token, input))).toEqual([
      "0",
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
      "7",
    ]);
  });

  it.each([0, 2 ** 30 + 1, Number.NaN])(
    "refuses a limit of %d messages per key",
    (messagesPerKey) => {
      expect(caught(() => new EncryptionManager(undefined, { messagesPerKey }))).toMatchObject({
        code: "AUDIT_CONFIG_INVALID",
        message: "messagesPerKey must be between 1 and 2^30",
      });
    },
  );

  it("keeps reading and writing right when more keys are in use than are kept derived", () => {
    const key = generateKey();
    const writer = new EncryptionManager(key);
    const sealed = Array.from({ length: 2500 }, (_, n) =>
      writer.encryptContent(
        { text: `${n}`, format: undefined },
        { ...input, kid: writer.kidFor(`s${n}`) },
      ),
    );
    expect(sealed.every((token, n) => writer.open(token, input) === `${n}`)).toBe(true);
  });
});

describe("keyed digests", () => {
  it.each(encryptionVectors.contents)("are HMAC-SHA256 under the digest key: $name", (vector) => {
    const manager = new EncryptionManager({ current: "v1", keys: { v1: vector.key } });
    expect(manager.digest(vector.text, vector.kid, subjectOf(vector))).toBe(vector.digest);
  });

  it("match their text and no other", () => {
    const manager = new EncryptionManager();
    const kid = manager.kidFor(stream);
    const hash = manager.digest("a\uD800", kid);
    expect(hash).toMatch(/^hmac-sha256:[\w-]{43}$/);
    expect(manager.matches("a\uFFFD", hash, kid)).toBe(true);
    expect(manager.matches("b", hash, kid)).toBe(false);
    expect(manager.matches("a\uFFFD", hash.slice(12), kid)).toBe(false);
    expect(manager.matches("a\uFFFD", hash, manager.kidFor("c3RyZWFtLW90aGVy"))).toBe(false);
  });

  it("cannot be checked without the key", () => {
    const writer = new EncryptionManager({ current: "v1", keys: { v1: generateKey() } });
    const kid = writer.kidFor(stream);
    const hash = writer.digest("yes", kid);
    expect(
      new EncryptionManager({ current: "v1", keys: { v1: generateKey() } }).matches(
        "yes",
        hash,
        kid,
      ),
    ).toBe(false);
    expect(
      caught(() => new EncryptionManager(generateKey()).matches("yes", hash, kid)),
    ).toMatchObject({
      code: "AUDIT_KEY_MISSING",
      message: 'The key "v1" is needed and is not known here',
    });
  });
});
