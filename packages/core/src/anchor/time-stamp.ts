// RFC 3161 time-stamping: a client of a time-stamping authority (TSA), and the verification of its
// tokens against certificates that the auditor has.
import { hash, randomBytes, X509Certificate } from "node:crypto";
import { ASN1Obj, RFC3161Timestamp, X509Certificate as ParsedCertificate } from "@sigstore/core";
import { AuditConfigError } from "../errors.ts";
import { type AnchorSink, reasonOf } from "./sink.ts";
import { beginningOf } from "./bounded-answer.ts";

/** Where and how to reach a TSA. */
export interface TimeStampOptions {
  /** Its URL. */
  readonly url: string;
  /** @default the URL's host */
  readonly name?: string;
  /** Milliseconds between two tokens. @default 3600000 (an hour) */
  readonly everyMs?: number;
  /** Milliseconds for one request. @default 30000 */
  readonly timeoutMs?: number;
}

/** No answer of a TSA is longer: it holds a few certificates. */
const MAX_ANSWER_BYTES = 1_048_576;

/** A sink that has a TSA sign the time at which checkpoints existed. */
export function timeStampSink({
  url,
  name,
  everyMs = 3_600_000,
  timeoutMs = 30_000,
}: TimeStampOptions): AnchorSink {
  if (!URL.canParse(url))
    throw new AuditConfigError("tsa must be the URL of a time-stamping authority");
  return {
    name: name ?? new URL(url).host,
    everyMs,
    async confirm({ note }) {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/timestamp-query" },
        body: Uint8Array.from(timeStampQuery(Buffer.from(note))),
        signal: AbortSignal.timeout(timeoutMs),
      });
      if (answer.status !== 200) throw new Error(`answered ${answer.status}`);
      const token = await beginningOf(answer, MAX_ANSWER_BYTES);
      if (token.byteLength > MAX_ANSWER_BYTES) throw new Error("answered more than 1 MiB");
      checkAnswer(token, Buffer.from(note));
      return [
        { kind: "tsa", extension: "note", bytes: Buffer.from(note) },
        { kind: "tsa", extension: "tsr", bytes: token },
      ];
    },
    reasonOf,
  };
}

/** AlgorithmIdentifier of SHA-256, in DER. */
const SHA256 = Buffer.from("300d06096086480165030402010500", "hex");

/** TimeStampReq of RFC 3161, 2.4.1: SHA-256, a nonce, and the TSA's certificates in the answer. */
export function timeStampQuery(data: Buffer): Buffer {
  const nonce = Buffer.concat([Buffer.of(0x01), randomBytes(8)]); // positive, and of fixed length
  const imprint = der(0x30, SHA256, der(0x04, hash("sha256", data, "buffer")));
  return der(0x30, der(0x02, Buffer.of(1)), imprint, der(0x02, nonce), der(0x01, Buffer.of(0xff)));
}

/** A DER value of less than 128 bytes. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const value = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag, value.byteLength), value]);
}

/**
 * A token. The library names the signature's digest for ECDSA alone: an RSA signature has the digest
 * of its signer's information (RFC 5652, 5.3).
 */
class Token extends RFC3161Timestamp {
  override get signatureAlgorithm(): string {
    return super.signatureAlgorithm ?? this.signerDigestAlgorithm;
  }
}

function readToken(bytes: Buffer): Token {
  return new Token(ASN1Obj.parseBuffer(Buffer.from(bytes)));
}

/** PKIStatus: granted, and granted with modifications. RFC 3161, 2.4.2. */
const GRANTED: readonly number[] = [0, 1];

function checkAnswer(token: Buffer, data: Buffer): void {
  const stamp = readToken(token);
  const status = Number(stamp.status);
  if (!GRANTED.includes(status)) throw new Error(`refused with status ${status}`);
  stamp.tstInfo.verify(data);
}

/** A certificate of a TSA that the auditor gave. */
export interface TimeStampAuthority {
  readonly name: string;
  readonly certificate: X509Certificate;
  /** Serial number and issuer, in DER. */
  readonly serialNumber: Buffer;
  readonly issuer: Buffer;
}

/**
 * Reads the certificates, in PEM, of time-stamping authorities: those that sign their tokens.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when there is none, or one cannot be read.
 */
export function readAuthorities(pem: string): TimeStampAuthority[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const authorities = blocks.map((block) => {
      const certificate = new X509Certificate(block);
      const parsed = ParsedCertificate.parse(certificate.raw);
      const [, name = "TSA"] = /^CN=(.+)$/m.exec(certificate.subject) ?? [];
      return { name, certificate, serialNumber: parsed.serialNumber, issuer: parsed.issuer };
    });
    if (authorities.length > 0) return authorities;
  } catch (cause) {
    throw new AuditConfigError("a certificate of a TSA cannot be read", {
      code: "AUDIT_KEY_INVALID",
      cause,
    });
  }
  throw new AuditConfigError("tsa must hold certificates of time-stamping authorities in PEM", {
    code: "AUDIT_KEY_INVALID",
  });
}

/** Purpose of a certificate that signs time-stamps. RFC 3161, 2.3. */
const TIME_STAMPING = "1.3.6.1.5.5.7.3.8";

/**
 * The time in a token over some bytes, in milliseconds since the epoch, and its authority.
 * Undefined where no authority given signed it, null where one did and the token does not verify.
 */
export function timeOfToken(
  token: Buffer,
  data: Buffer,
  authorities: readonly TimeStampAuthority[],
): { readonly time: number; readonly authority: TimeStampAuthority } | undefined | null {
  try {
    const stamp = readToken(token);
    const authority = authorities.find(
      ({ serialNumber, issuer }) =>
        serialNumber.equals(stamp.signerSerialNumber) && issuer.equals(stamp.signerIssuer),
    );
    if (authority === undefined) return undefined;
    const { certificate } = authority;
    stamp.verify(data, certificate.publicKey);
    const time = stamp.signingTime.getTime();
    const isValid =
      new Set(certificate.keyUsage).has(TIME_STAMPING) && // undefined where it names none
      Date.parse(certificate.validFrom) <= time &&
      time <= Date.parse(certificate.validTo);
    return isValid ? { time, authority } : null;
  } catch {
    return null; // malformed, or altered: both are the same to an auditor
  }
}
