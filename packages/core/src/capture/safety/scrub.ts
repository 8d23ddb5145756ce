// Error messages come from anywhere and may hold credentials: a 401's holds part of the key.

/** Longer messages are cut: some providers echo the whole request. In UTF-16 units. */
const MAX_MESSAGE_LENGTH = 2000;

const CENSOR = "[REDACTED]";

// Every pattern is linear: no nested or adjacent unbounded repetition over the same characters.
const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // `Bearer …`, `Basic …`
  [/\b(bearer|basic)\s+[\w.~+/=*-]{4,}/gi, `$1 ${CENSOR}`],
  // header and member spellings: `api-key: …`, `"authorization":"…"`, `OpenAI-Organization: …`, `x-api-key=…`
  [
    /\b((?:x-|xi-)?api[-_]?key|(?:proxy-)?authorization|openai-organization|openai-project|access[-_]token|client[-_]secret)(["']?\s?[:=]\s?["']?)(?!\s?(?:bearer|basic)\b)[\w.~+/=*-]{4,}/gi,
    `$1$2${CENSOR}`,
  ],
  // `sk-…`, also as a 401 shows it: `sk-proj-********************abcd`
  [/\b(?:sk|sess|ek|rk)[-_](?:[\w*…-]|\.(?=[\w*.…-])){3,}/gi, CENSOR],
  [/\borg-[A-Za-z0-9]{8,}/g, CENSOR],
  [/\bproj_[A-Za-z0-9]{8,}/g, CENSOR],
  // a JSON Web Token (Azure AD)
  [/\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*/g, CENSOR],
  // what else is masked is so for a reason
  [/[\w-]{0,12}\*{4,}[\w-]{0,12}/g, CENSOR],
  // Azure keys: 32 hex digits, or 84 of base64 alphabet
  [/\b(?:[0-9a-f]{32}|[A-Za-z0-9]{84})\b/g, CENSOR],
  // user:password@ and credentials among the query of a URL
  [/(:\/\/)[^\s/@:]{1,200}:[^\s/@]{1,200}@/g, `$1${CENSOR}@`],
  [/([?&](?:api[-_]?key|key|token|sig|signature|code|access_token)=)[^&\s"']+/gi, `$1${CENSOR}`],
];

/** The message without credentials, and no longer than is useful. */
export function scrubSecrets(message: string): string {
  const text =
    message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message;
  return SECRETS.reduce(
    (scrubbed, [pattern, replacement]) => scrubbed.replace(pattern, replacement),
    text,
  );
}
