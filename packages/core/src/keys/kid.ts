// Key ids as they stand in the log: `<key id>.<stream>[.<subject id>]` (docs/format.md, "Encrypted
// content").

/** The parts of a `kid`. */
export interface Kid {
  /** The master key. */
  readonly keyId: string;
  /** The run of a writer, which decides on the derived key. */
  readonly stream: string;
  /** The data subject whose secret is needed as well; undefined for none. */
  readonly subjectId: string | undefined;
}

/**
 * Letters, digits, `-` and `_`: no dot, which separates, and no character that a message or a file
 * name would have to escape.
 */
export function isKeyId(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text);
}

/**
 * One `kid` of its parts. Throws `TypeError` for a part that would read back as something else:
 * streams and subject ids come from this library, so that is a mistake in the program.
 */
export function formatKid(keyId: string, stream: string, subjectId?: string): string {
  if (!isName(stream) || (subjectId !== undefined && !isName(subjectId))) {
    throw new TypeError("a stream or subject id is not made of [A-Za-z0-9_~-]");
  }
  return subjectId === undefined ? `${keyId}.${stream}` : `${keyId}.${stream}.${subjectId}`;
}

/** The parts of a `kid`; undefined for any other text. */
export function parseKid(kid: string): Kid | undefined {
  const [keyId = "", stream = "", subjectId, ...more] = kid.split(".");
  if (!isKeyId(keyId) || !isName(stream) || more.length > 0) return undefined;
  if (subjectId !== undefined && !isName(subjectId)) return undefined;
  return { keyId, stream, subjectId };
}

/**
 * Messages encrypted before the next key is derived. With random 96-bit nonces, 2^32 messages under
 * one key is the limit of NIST SP 800-38D section 8.3 (a repeated nonce then has a chance of
 * 2^-32); a quarter of it leaves room for calls in flight and makes that chance 2^-37.
 */
export const MESSAGES_PER_KEY: number = 2 ** 30;

/**
 * The stream's name for keys once a manager has encrypted that many messages: `s`, then `s~1`,
 * `s~2` …
 */
export function streamAfter(
  stream: string,
  messages: number,
  messagesPerKey: number = MESSAGES_PER_KEY,
): string {
  const turn = Math.floor(messages / messagesPerKey);
  return turn === 0 ? stream : `${stream}~${turn}`;
}

function isName(text: string): boolean {
  return /^[\w~-]{1,128}$/.test(text);
}
