import { describe, expect, it } from "vitest";
import { patternDetector, PERSONAL_DATA_PATTERNS, SECRET_PATTERNS } from "../../../src/index.ts";

const secrets = patternDetector({ patterns: SECRET_PATTERNS });
const personalData = patternDetector({ patterns: PERSONAL_DATA_PATTERNS });
const x = (length: number, text = "aB3dE6gH9jK2mN5p"): string => text.repeat(10).slice(0, length);

const parts = (...pieces: readonly string[]): string => pieces.join("");

/** Written in pieces, so that no scanner takes this file for a leak. */
const SECRETS: readonly (readonly [category: string, text: string])[] = [
  ["private_key", parts("-----BEGIN ", "RSA PRIVATE KEY-----")],
  ["private_key", parts("-----BEGIN ", "PGP PRIVATE KEY BLOCK-----")],
  ["jwt", `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.${x(43)}`],
  ["url_credentials", parts("postgres://admin:", "hunter2@db.example:5432/app")],
  ["authorization_header", parts("Authorization: ", "Bearer abcdefgh12345678")],
  ["aws_access_key_id", parts("AKIA", "IOSFODNN7EXAMPLE")],
  ["azure_storage_key", `AccountKey=${x(86)}==`],
  ["google_api_key", parts("AIza", x(35))],
  ["github_token", parts("ghp_", x(36))],
  ["github_fine_grained_token", `github_pat_${x(22)}_${x(59)}`],
  ["gitlab_token", parts("glpat-", x(20))],
  ["slack_token", parts("xoxb-", "123456789012-", x(24))],
  ["slack_webhook", parts("https://hooks.slack.com/services/", "T0ABCDEF1/B0ABCDEF1/", x(24))],
  ["stripe_key", parts("sk_live_", x(24))],
  ["openai_key", parts("sk-", x(48))],
  ["openai_key", parts("sk-proj-", x(60))],
  ["anthropic_key", parts("sk-ant-api03-", x(40))],
  ["huggingface_token", parts("hf_", x(34))],
  ["npm_token", parts("npm_", x(36))],
  ["pypi_token", parts("pypi-AgEIcHlwaS5vcmc", x(60))],
  ["sendgrid_key", `SG.${x(22)}.${x(43)}`],
  ["twilio_key", parts("SK", x(32, "0123456789abcdef"))],
];

const PERSONAL: readonly (readonly [category: string, text: string])[] = [
  ["email", "ada.lovelace+notes@mail.example.co.uk"],
  ["phone", "+44 20 7946 0958"],
  ["phone", "+1 (415) 555-2671"],
  ["payment_card", "4111 1111 1111 1111"],
  ["payment_card", "378282246310005"],
  ["iban", "DE89 3704 0044 0532 0130 00"],
  ["iban", "GB82WEST12345698765432"],
  ["us_ssn", "078-05-1120"],
];

describe("the pattern list", () => {
  it.each([
    ...SECRETS.map((row) => [secrets, ...row] as const),
    ...PERSONAL.map((row) => [personalData, ...row] as const),
  ])("of $name finds it within a sentence: %s", (detector, category, text) => {
    for (const value of [text, `Here it is: ${text}, thanks.`, { a: [`(${text})`] }]) {
      expect(detector.checkInput?.(value, {})).toEqual({
        action: "block",
        reason: `patterns: ${category}`,
        categories: [category],
      });
    }
  });

  it("has an example for every pattern", () => {
    const names = new Set([...SECRETS, ...PERSONAL].map(([category]) => category));
    expect(names).toEqual(
      new Set([...SECRET_PATTERNS, ...PERSONAL_DATA_PATTERNS].map(({ name }) => name)),
    );
  });

  it.each([
    "Call me at ten, or write to us @ the office.",
    "The sum of 1234 5678 9012 3456 is not a card: its check digit is wrong.",
    "0000 0000 0000 0000",
    "DE89 3704 0044 0532 0130 01 is mistyped.",
    "ZZ89 3704 0044 0532 0130 00 is of no country.",
    "Order 900-12-3456 and 666-12-3456 and 123-00-4567.",
    "Version 1.2.3, build 20261123.142530, commit 3ce3040aa11bb22cc33dd44ee55ff66aa77bb88cc",
    "sk-learn and task-based disk-cache; xoxo; npm_config_registry=https://registry.example/",
    "See https://example.org:8443/a@b and postgres://db.example/app",
    "-----BEGIN PUBLIC KEY-----",
    "550e8400-e29b-41d4-a716-446655440000",
  ])("finds nothing in ordinary text: %s", (text) => {
    expect(secrets.checkInput?.(text, {})).toBeUndefined();
    expect(personalData.checkInput?.(text, {})).toBeUndefined();
  });

  it("takes the words after an IBAN for no part of it", () => {
    expect(personalData.checkInput?.("Pay NL91ABNA0417164300 TODAY PLEASE", {})).toMatchObject({
      categories: ["iban"],
    });
  });

  it.each([
    "a",
    "aA0-",
    "a.",
    "1 ",
    "+1 ",
    "1-",
    "DE89 ",
    "eyJ",
    "eyJaaaaaaaaaa.",
    "a@a.",
    "a://a:",
    "sk-",
    "authorization: ",
    "-----BEGIN A ",
    "AccountKey=",
  ])("ends on long hostile text: %j again and again", (piece) => {
    // An expression that backtracks without bound would exceed the test's time limit by far.
    const hostile = piece.repeat(Math.ceil(500_000 / piece.length));
    expect(() => [
      secrets.checkInput?.(hostile, {}),
      personalData.checkInput?.(hostile, {}),
    ]).not.toThrow();
  });
});
