import { createPrivateKey, generateKeyPairSync, verify } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { parseNote, parseVkey } from "../../src/seal/note.ts";
import { Signer } from "../../src/seal/signer.ts";
import { caught } from "@ai-audit/test-support/caught";

// The private key of the example in golang.org/x/mod/sumdb/note, as PKCS#8 (RFC 8410): its 32-byte
// seed after a prefix.
const SEED = Buffer.from("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz", "base64").subarray(1);
const PKCS8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), SEED]);
const PEM = `-----BEGIN PRIVATE KEY-----\n${PKCS8.toString("base64")}\n-----END PRIVATE KEY-----\n`;
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";

describe("a signer", () => {
  it("signs as Go's note package does", () => {
    const signer = Signer.fromPem("PeterNeumann", PEM);
    expect(signer.vkey).toBe("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    expect(signer.sign(TEXT)).toBe(
      "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n",
    );
  });

  it("is generated with a key of its own, and its PEM brings it back", async () => {
    const signer = await Signer.generate("bank-prod");
    expect((await Signer.generate("bank-prod")).vkey).not.toBe(signer.vkey);
    expect(Signer.fromPem("bank-prod", signer.toPem()).vkey).toBe(signer.vkey);
    const [line] = parseNote(`text\n\n${signer.sign("text\n")}`)?.signatures ?? [];
    expect(
      line && verify(null, Buffer.from("text\n"), parseVkey(signer.vkey).publicKey, line.signature),
    ).toBe(true);
  });

  it("comes from an environment variable, with line feeds or with \\n in their place", () => {
    const { vkey } = Signer.fromPem("n", PEM);
    expect(Signer.fromEnv("n", "AUDIT_SIGNING_KEY", { AUDIT_SIGNING_KEY: PEM }).vkey).toBe(vkey);
    expect(Signer.fromEnv("n", "KEY", { KEY: PEM.replaceAll("\n", "\\n") }).vkey).toBe(vkey);
  });

  it.each([undefined, "", "  "])("says which variable is not set when it is %j", (value) => {
    expect(caught(() => Signer.fromEnv("n", "KEY", { KEY: value }))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message:
        "KEY is not set: it must hold an Ed25519 private key as PKCS#8 PEM (ai-audit init makes one)",
    });
  });

  it("shows its private key neither when inspected nor in JSON", () => {
    const signer = Signer.fromPem("PeterNeumann", PEM);
    const shown = inspect(signer, { showHidden: true, depth: 9 }) + JSON.stringify(signer);
    expect(shown).not.toContain("PRIVATE");
    expect(shown).not.toContain(SEED.toString("base64").slice(0, 12));
    expect(JSON.parse(JSON.stringify(signer))).toEqual({ name: "PeterNeumann", vkey: signer.vkey });
  });

  it("refuses what is no private key, without repeating it", () => {
    const pem = PEM.replace("MC4C", "MC4D");
    const error = caught(() => Signer.fromPem("n", pem));
    expect(error).toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message:
        "No private key can be read from the PEM: it must be an unencrypted Ed25519 key as PKCS#8 PEM",
    });
    expect(inspect(error)).not.toContain(pem.slice(30, 60));
  });

  it("refuses a key of another kind", () => {
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    expect(createPrivateKey(pem).asymmetricKeyType).toBe("ec");
    expect(caught(() => Signer.fromPem("n", pem))).toMatchObject({
      code: "AUDIT_KEY_INVALID",
      message: "The private key in the PEM is ec, not ed25519",
    });
  });

  it.each(["", "a b", "a+b"])("refuses the name %j", async (name) => {
    const refusal = {
      code: "AUDIT_KEY_INVALID",
      message:
        "The name of a signing key must not be empty and must not contain white space or '+'",
    };
    expect(caught(() => Signer.fromPem(name, PEM))).toMatchObject(refusal);
    expect(caught(() => Signer.fromEnv(name, "KEY", { KEY: PEM }))).toMatchObject(refusal);
    await expect(Signer.generate(name)).rejects.toMatchObject(refusal);
  });
});
