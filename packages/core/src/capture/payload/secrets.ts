// Credentials in payloads, options, URLs and messages: one list of names, one marker.
import { isJsonObject, type JsonValue } from "../../format/canonical.ts";

/** Stands in an entry for a credential. */
export const CENSOR = "[REDACTED]";

/** Names of members whose value, or whose members' values, are credentials. */
const SECRET_NAME =
  /api_?key|authori[sz]ation|authentication|headers$|secret|password|passphrase|credential|token_?provider|(?:access|refresh|auth|bearer|session)_?token|(?:private|access|account)_?key|connection_?string|^tokens?$|^cookies?$/i;

/** Options of a client that hold its keys, wherever a program hands them on. */
const CLIENT_OPTION = /api_?key$|^default_?headers$/i;

/** JSON Schema names properties. It holds none of their values. */
const SCHEMA_MEMBER = /^(?:json_|input_|output_)?schema$/;

/** Keys of OpenAI, also the short-lived ones that a session is given. */
const SECRET_TEXT = /^(?:sk|ek|rk|sess)[-_][\w-]{4,}$/;

/** Whether a member of this name holds a credential. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * Whether a member is a key or the headers of a client: a string under such a name, or strings by
 * name. A schema that describes a member of such a name has a type, and is no secret.
 */
export function isClientSecret(name: string, value: unknown): boolean {
  if (!CLIENT_OPTION.test(name)) return false;
  if (typeof value !== "object" || value === null) return typeof value === "string";
  return (
    !("type" in value) &&
    Object.values(value).every((member) => typeof member !== "object" || member === null)
  );
}

/** A request in which the credentials among `tools` are censored. Their names stay. */
export function withoutToolSecrets(input: JsonValue): JsonValue {
  if (!isJsonObject(input)) return input;
  const { tools } = input;
  return isList(tools) ? { ...input, tools: tools.map(withoutSecrets) } : input;
}

/**
 * The value in which credentials are censored: members by name, strings by form, the query of URLs.
 * Functions that a model may call are left alone: they hold JSON Schema.
 */
export function withoutSecrets(value: JsonValue): JsonValue {
  if (typeof value === "string") return SECRET_TEXT.test(value) ? CENSOR : value;
  if (isList(value)) return value.map(withoutSecrets);
  if (!isJsonObject(value) || value["type"] === "function") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, memberWithout(name, member, value)]),
  );
}

function memberWithout(
  name: string,
  member: JsonValue,
  holder: Readonly<Record<string, JsonValue>>,
): JsonValue {
  if (SCHEMA_MEMBER.test(name)) return member;
  // A filter such as { type: "eq", key: "region", value: "eu" } names a field by its key.
  const isSecret = name === "key" ? !("value" in holder) : SECRET_NAME.test(name);
  if (isSecret) return censorAll(member);
  if (typeof member === "string" && /ur[il]$/i.test(name)) return censorUrl(member);
  return withoutSecrets(member);
}

/** Names stay, values are removed. Numbers, such as counts of tokens, are not credentials. */
function censorAll(value: JsonValue): JsonValue {
  if (typeof value === "string") return CENSOR;
  if (isList(value)) return value.map(censorAll);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, censorAll(member)]));
}

/**
 * A URL without its user and password, and without the values of its query, of its fragment and of
 * path segments that look like keys. Hosted MCP servers take their key in any of these.
 */
export function censorUrl(text: string): string {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)(?:[^/?#@]*@)?([^?#]*)(\?[^#]*)?(#.*)?$/i.exec(text);
  if (!match) return text;
  const [, scheme = "", place = "", query = "", fragment] = match;
  const path = place
    .split("/")
    .map((segment) => (KEY_SEGMENT.test(segment) ? CENSOR : segment))
    .join("/");
  return (
    scheme +
    path +
    query.replaceAll(/([?&][^=&]*=)[^&]*/g, `$1${CENSOR}`) +
    (fragment === undefined ? "" : `#${CENSOR}`)
  );
}

/**
 * A path segment of 24 characters or more with letters and digits, as keys have and names have not.
 */
const KEY_SEGMENT = /^(?=[^/]*\d)(?=[^/]*[a-z])[\w=-]{24,}$/i;

/** Query parameters whose values are credentials: signed URLs of S3, Azure, Google and others. */
const SECRET_PARAMETER =
  /([?&](?:api[-_]?key|key|token|sig|signature|code|access_token|x-amz-(?:signature|credential|security-token)|x-goog-(?:signature|credential))=)[^&\s"'#]+/gi;

/** Longer messages are cut: some providers echo the whole request. In UTF-16 units. */
const MAX_MESSAGE_LENGTH = 2000;

// Every pattern is linear: no nested or adjacent unbounded repetition over the same characters.
const SECRETS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  // `Bearer …`, `Basic …`
  [/\b(bearer|basic)\s+[\w.~+/=*-]{4,}/gi, `$1 ${CENSOR}`],
  // spellings as header and member: `api-key: …`, `"authorization":"…"`, `OpenAI-Organization: …`
  [
    /\b((?:x-|xi-)?api[-_]?key|(?:proxy-)?authorization|openai-organization|openai-project|access[-_]token|client[-_]secret)(["']?\s?[:=]\s?["']?)(?!\s?(?:bearer|basic)\b)[\w.~+/=*-]{4,}/gi,
    `$1$2${CENSOR}`,
  ],
  // `sk-…`, also as a 401 shows it: `sk-proj-********************abcd`
  [/\b(?:sk|sess|ek|rk)[-_](?:[\w*…-]|\.(?=[\w*.…-])){3,}/gi, CENSOR],
  [/\borg-[A-Za-z0-9]{8,}/g, CENSOR],
  [/\bproj_[A-Za-z0-9]{8,}/g, CENSOR],
  // keys of Google, AWS, Groq, Hugging Face, xAI, Perplexity, Replicate
  [
    /\bAIza[\w-]{20,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\b(?:gsk|hf|r8)_\w{20,}|\b(?:xai|pplx)-\w{20,}/g,
    CENSOR,
  ],
  // a JSON Web Token (Azure AD)
  [/\beyJ[\w-]{8,}\.[\w-]+\.?[\w-]*/g, CENSOR],
  // other strings that the provider has masked
  [/[\w-]{0,12}\*{4,}[\w-]{0,12}/g, CENSOR],
  // Azure keys: 32 hex digits, or 84 of the base64 alphabet
  [/\b(?:[0-9a-f]{32}|[A-Za-z0-9]{84})\b/g, CENSOR],
  // `user:password@`, and credentials in the query of a URL
  [/(:\/\/)[^\s/@:]{1,200}:[^\s/@]{1,200}@/g, `$1${CENSOR}@`],
  [SECRET_PARAMETER, `$1${CENSOR}`],
];

/**
 * Whether a whole value is a credential: a key with a known prefix, a JSON Web Token, or the value
 * of an Authorization header.
 */
export function isSecretText(text: string): boolean {
  return SECRET_TEXT.test(text) || TOKEN.test(text);
}

const TOKEN =
  /^(?:(?:bearer|basic)\s+\S|eyJ[\w-]{8,}\.|AIza[\w-]{20}|(?:AKIA|ASIA)[A-Z0-9]{12}|(?:gsk|hf|r8|ghp|gho)_\w{20}|(?:xai|pplx)-\w{20})/i;

/** An error message without credentials, cut to 2000 characters. */
export function scrubSecrets(message: string): string {
  const text =
    message.length > MAX_MESSAGE_LENGTH ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message;
  return SECRETS.reduce(
    (scrubbed, [pattern, replacement]) => scrubbed.replace(pattern, replacement),
    text,
  );
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}
