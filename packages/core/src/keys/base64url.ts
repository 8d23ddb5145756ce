// base64url (RFC 4648 section 5), strictly: one text for one sequence of bytes.

/**
 * The bytes of unpadded base64url; undefined for anything else, also for the other spellings that
 * lenient decoders take (padding, `+` and `/`, white space, stray bits in the last character). So
 * an attacker cannot make a second, different-looking copy of a ciphertext that still opens.
 */
export function decodeBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

/** As `decodeBase64url`, of the padded form that Python writes. */
export function decodePaddedBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return encodePaddedBase64url(bytes) === text ? bytes : undefined;
}

/** base64url with the `=` padding that Python expects. */
export function encodePaddedBase64url(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}
