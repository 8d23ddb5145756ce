// The private half: an Ed25519 key that signs checkpoints. The verifier does not import this.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign,
} from "node:crypto";
import { promisify } from "node:util";
import { AuditConfigError } from "../errors.ts";
import { formatSignatureLine, formatVkey, isKeyName, keyHashOf } from "./note.ts";

const generateEd25519 = promisify(generateKeyPair);

/**
 * Checks that an option is a signer.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` for another value, such as a key's text.
 */
export function checkSigner(signer: Signer | undefined): void {
  if (signer instanceof Promise)
    throw new AuditConfigError("signer is a promise: write await before Signer.generate()");
  if (signer !== undefined && typeof signer?.sign !== "function") {
    throw new AuditConfigError(
      "signer must be a Signer: see Signer.fromPem() and Signer.fromEnv()",
    );
  }
}

/**
 * Signs checkpoints (Ed25519, RFC 8032). Give `vkey` to verifiers and keep the PEM secret: its
 * holder can rewrite the log since the last pin or anchor. The private key shows neither in
 * `util.inspect` nor in JSON.
 */
export class Signer {
  readonly #privateKey: KeyObject;
  readonly #keyHash: string;
  /**
   * The key's name: no white space, no `+`. A name you own is best, such as `example.com/audit`.
   */
  readonly name: string;
  /** `<name>+<key hash>+<base64>`: the public key in C2SP signed-note's form. */
  readonly vkey: string;

  private constructor(name: string, privateKey: KeyObject) {
    const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
    const rawPublicKey = Buffer.from(x, "base64url");
    this.#privateKey = privateKey;
    this.#keyHash = keyHashOf(name, rawPublicKey);
    this.name = name;
    this.vkey = formatVkey(name, rawPublicKey);
  }

  /**
   * A signer with a new key. Keep it with `toPem()`.
   * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when the name is invalid.
   */
  static async generate(name: string): Promise<Signer> {
    checkName(name);
    const { privateKey } = await generateEd25519("ed25519");
    return new Signer(name, privateKey);
  }

  /**
   * A signer from a PKCS#8 PEM, as `toPem()` and `openssl genpkey -algorithm ed25519` write it.
   * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when it is not an unencrypted Ed25519 private
   * key or the name is invalid.
   */
  static fromPem(name: string, pem: string): Signer {
    checkName(name);
    return new Signer(name, privateKeyOf(pem, "the PEM"));
  }

  /**
   * A signer from a PEM in an environment variable. A literal `\n` stands for a line feed, as in
   * .env files.
   * @param variable `AUDIT_SIGNING_KEY` by default.
   * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when it is not set, `AUDIT_KEY_INVALID` when
   * it holds no Ed25519 private key.
   */
  static fromEnv(
    name: string,
    variable = "AUDIT_SIGNING_KEY",
    env: Readonly<Record<string, string | undefined>> = process.env,
  ): Signer {
    checkName(name);
    const pem = env[variable];
    if (pem === undefined || pem.trim() === "") {
      throw new AuditConfigError(
        `${variable} is not set: it must hold an Ed25519 private key as PKCS#8 PEM (ai-audit init makes one)`,
      );
    }
    return new Signer(name, privateKeyOf(pem.replaceAll("\\n", "\n"), variable));
  }

  /** The private key as PKCS#8 PEM. Its holder can sign in this name. */
  toPem(): string {
    return this.#privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  }

  /** The signature line over a note's text, which ends in a line feed. C2SP signed-note. */
  sign(text: string): string {
    const signature = sign(null, Buffer.from(text), this.#privateKey);
    return formatSignatureLine({ name: this.name, keyHash: this.#keyHash, signature });
  }
}

function checkName(name: string): void {
  if (!isKeyName(name)) {
    throw keyInvalid(
      "The name of a signing key must not be empty and must not contain white space or '+'",
    );
  }
}

function privateKeyOf(pem: string, where: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // No cause: OpenSSL's error adds nothing, and the key material must not travel with it.
    throw keyInvalid(
      `No private key can be read from ${where}: it must be an unencrypted Ed25519 key as PKCS#8 PEM`,
    );
  }
  if (key.asymmetricKeyType !== "ed25519") {
    throw keyInvalid(
      `The private key in ${where} is ${key.asymmetricKeyType ?? "unknown"}, not ed25519`,
    );
  }
  return key;
}

function keyInvalid(message: string): AuditConfigError {
  return new AuditConfigError(message, { code: "AUDIT_KEY_INVALID" });
}
