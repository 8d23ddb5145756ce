// Formats of secrets and of common personal data. Only formats with a prefix, a check digit or a
// fixed shape: data that looks like ordinary text (names, addresses, generic passwords) needs more
// than a pattern. Every expression is linear in the text: repetitions are bounded, or over
// characters that end them for certain.
import type { NamedPattern } from "./pattern-detector.ts";

/** Credentials, by the formats that their issuers document. */
export const SECRET_PATTERNS: readonly NamedPattern[] = [
  // RFC 7468, RFC 4880 section 6.2
  {
    name: "private_key",
    pattern: /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----/,
  },
  // RFC 7519: two base64url JSON objects and a signature
  { name: "jwt", pattern: /(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{16}/ },
  // RFC 3986 section 3.2.1
  {
    name: "url_credentials",
    pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/?#]{1,100}:[^\s:@/?#]{1,100}@/i,
  },
  // RFC 9110 section 11.6.2
  {
    name: "authorization_header",
    pattern: /\bauthorization["']?:\s{0,4}["']?(?:bearer|basic)\s{1,4}[\w.~+/=-]{8}/i,
  },
  // AWS IAM user guide, "Unique identifiers"
  { name: "aws_access_key_id", pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/ },
  // Azure Storage, "Configure connection strings": 64 bytes of base64
  { name: "azure_storage_key", pattern: /AccountKey=[A-Za-z0-9+/]{86}==/ },
  // Google Cloud, "API keys"
  { name: "google_api_key", pattern: /\bAIza[\w-]{35}(?![\w-])/ },
  // GitHub, "Behind GitHub's new authentication token formats", and fine-grained tokens
  { name: "github_token", pattern: /\bgh[pousr]_[A-Za-z0-9]{36}/ },
  { name: "github_fine_grained_token", pattern: /\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}/ },
  // GitLab, "Token overview": prefixes
  { name: "gitlab_token", pattern: /\bgl(?:pat|oas|dt|rt|cbt|ptt|ft|soat)-[\w-]{20}/ },
  // Slack, "Tokens" and "Incoming webhooks"
  { name: "slack_token", pattern: /\bx(?:ox[abeoprs]|app)-[A-Za-z0-9-]{10}/ },
  {
    name: "slack_webhook",
    pattern: /hooks\.slack\.com\/services\/T[A-Z0-9]{6,20}\/B[A-Z0-9]{6,20}\/[A-Za-z0-9]{16}/,
  },
  // Stripe, "API keys": secret and restricted ones
  { name: "stripe_key", pattern: /\b[rs]k_(?:live|test)_[A-Za-z0-9]{16}/ },
  // OpenAI and Anthropic consoles
  {
    name: "openai_key",
    pattern: /\bsk-(?!ant-)(?:(?:proj|svcacct|admin|None)-)?[A-Za-z0-9_-]{20}/,
  },
  { name: "anthropic_key", pattern: /\bsk-ant-[A-Za-z0-9_-]{20}/ },
  // Hugging Face, "User access tokens"
  { name: "huggingface_token", pattern: /\bhf_[A-Za-z0-9]{34}/ },
  // npm, "About access tokens"; PyPI, "API tokens": a macaroon for pypi.org
  { name: "npm_token", pattern: /\bnpm_[A-Za-z0-9]{36}/ },
  { name: "pypi_token", pattern: /\bpypi-AgEIcHlwaS5vcmc[\w-]{32}/ },
  // SendGrid and Twilio, "API keys"
  { name: "sendgrid_key", pattern: /\bSG\.[\w-]{22}\.[\w-]{43}/ },
  { name: "twilio_key", pattern: /\bSK[0-9a-f]{32}\b/ },
];

/** Personal data with a recognisable form. */
export const PERSONAL_DATA_PATTERNS: readonly NamedPattern[] = [
  // RFC 5321 section 4.5.3.1: 64 octets before the @, labels of 63
  {
    name: "email",
    pattern: /(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}\b/,
  },
  // ITU-T E.164: up to 15 digits, written internationally
  { name: "phone", pattern: /(?<![\w+])\+[1-9](?:[ ().-]{0,2}\d){7,14}(?!\d)/ },
  // ISO/IEC 7812: 13 to 19 digits, the last one by Luhn's formula
  {
    name: "payment_card",
    pattern: /(?<![\d.-]|\d )[2-6]\d(?:[ -]?\d){11,17}(?![\d.-]?\d)/,
    accept: passesLuhn,
  },
  // ISO 13616
  { name: "iban", pattern: /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}/, accept: isIban },
  // Social Security Administration, "Randomization": areas and groups that are never given out
  { name: "us_ssn", pattern: /(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])/ },
];

/** ISO/IEC 7812-1, annex B. */
function passesLuhn(text: string): boolean {
  const digits = text.replaceAll(/\D/g, "");
  if (/^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - 48;
    const doubled = digit * 2;
    sum += place % 2 === 0 ? digit : doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/**
 * Lengths of the SWIFT IBAN registry: without them the words after an IBAN would be taken for a
 * part of it.
 */
const IBAN_LENGTHS: Readonly<Record<string, number>> = Object.fromEntries(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 " +
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 " +
    "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SD18 " +
    "SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/**
 * ISO 7064 MOD 97-10 over the number with its first four characters last and letters as 10 to 35.
 */
function isIban(text: string): boolean {
  const compact = text.replaceAll(" ", "");
  const length = IBAN_LENGTHS[compact.slice(0, 2)];
  if (length === undefined || compact.length < length) return false;
  let remainder = 0;
  for (const character of compact.slice(4, length) + compact.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}
