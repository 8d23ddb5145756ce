// Profiles: requirements of a law or a standard, and the checks that speak for them. Data files
// with their sources, so that others can add theirs.
import { readFile } from "node:fs/promises";
import { AuditInputError } from "@ai-audit/core";
import { CHECK_IDS, type CheckId, isCheckId } from "./check.ts";

/** A source of requirements. */
export interface ProfileSource {
  readonly id: string;
  readonly title: string;
  readonly url: string;
}

/** One requirement of a profile. */
export interface Requirement {
  /** As the source numbers it: `12(1)`, `AU-3`. */
  readonly id: string;
  readonly title: string;
  /** The requirement in the words of the profile's author, not a quotation. */
  readonly text: string;
  /** A source of the profile, by its id. */
  readonly source: string;
  /** First day on which it applies: `2027-12-02`. Absent where it always does. */
  readonly inForce?: string;
  /** Control of an OSCAL catalog: `au-3`. */
  readonly control?: string;
  /** Checks that speak for it. Empty where no log can show anything. */
  readonly checks: readonly CheckId[];
  /** Days for which entries must be kept, for the check `retention`. */
  readonly days?: number;
  /**
   * The part that no log can show. A requirement that has one is met in part at best. It is the
   * reason where there are no checks.
   */
  readonly beyond?: string;
}

/** A law or a standard, as far as a log speaks for it. */
export interface Profile {
  /** `eu-ai-act`, for example. */
  readonly id: string;
  readonly title: string;
  /** Day of the state of its sources: `2026-11-30`. */
  readonly asOf: string;
  readonly sources: readonly ProfileSource[];
  /** Remarks for a reader: scope, dates in force. */
  readonly notes: readonly string[];
  readonly requirements: readonly Requirement[];
}

/** Profiles that this package brings. */
export const PROFILE_NAMES = ["eu-ai-act", "nist-800-53-au", "aiuc-1"] as const;

/** A profile that this package brings. */
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** A profile that this package brings. */
export async function loadProfile(name: ProfileName): Promise<Profile> {
  const path = new URL(`../../profiles/${name}.json`, import.meta.url);
  return parseProfile(await readFile(path, "utf8"));
}

/**
 * Reads a profile. profiles/profile.schema.json describes the file.
 * @throws {AuditInputError} `AUDIT_INPUT_INVALID` naming the member that is wrong
 */
export function parseProfile(text: string): Profile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("", "is not JSON");
  }
  const profile = object(value, "", [
    "$schema",
    "id",
    "title",
    "asOf",
    "sources",
    "notes",
    "requirements",
  ]);
  const sources = list(profile["sources"], "sources").map((item, index) => {
    const place = `sources[${index}]`;
    const source = object(item, place, ["id", "title", "url"]);
    return {
      id: text1(source["id"], `${place}.id`),
      title: text1(source["title"], `${place}.title`),
      url: url(source["url"], `${place}.url`),
    };
  });
  const ids = new Set(sources.map(({ id }) => id));
  const requirements = list(profile["requirements"], "requirements").map((item, index) =>
    requirement(item, `requirements[${index}]`, ids),
  );
  const seen = new Set<string>();
  for (const { id } of requirements) {
    if (seen.has(id)) throw invalid("requirements", `names ${id} twice`);
    seen.add(id);
  }
  return {
    id: text1(profile["id"], "id"),
    title: text1(profile["title"], "title"),
    asOf: day(profile["asOf"], "asOf"),
    sources,
    notes: list(profile["notes"] ?? [], "notes").map((note, index) =>
      text1(note, `notes[${index}]`),
    ),
    requirements,
  };
}

const MEMBERS = ["id", "title", "text", "source", "inForce", "control", "checks", "days", "beyond"];

function requirement(value: unknown, place: string, sources: ReadonlySet<string>): Requirement {
  const given = object(value, place, MEMBERS);
  const checks = list(given["checks"], `${place}.checks`).map((check) => {
    if (isCheckId(check)) return check;
    throw invalid(
      `${place}.checks`,
      `names ${JSON.stringify(check)}, which is no check: ${CHECK_IDS.join(", ")}`,
    );
  });
  const source = text1(given["source"], `${place}.source`);
  if (!sources.has(source))
    throw invalid(`${place}.source`, `names ${source}, which is not in sources`);
  const { inForce, control, days, beyond } = given;
  if (days !== undefined && !(typeof days === "number" && Number.isInteger(days) && days > 0))
    throw invalid(`${place}.days`, "must be a whole number of days, at least 1");
  if (checks.includes("retention") !== (days !== undefined))
    throw invalid(`${place}.days`, "goes with the check retention, and with no other");
  if (checks.length === 0 && beyond === undefined)
    throw invalid(`${place}.beyond`, "must give the reason where there are no checks");
  return {
    id: text1(given["id"], `${place}.id`),
    title: text1(given["title"], `${place}.title`),
    text: text1(given["text"], `${place}.text`),
    source,
    checks,
    ...(inForce !== undefined && { inForce: day(inForce, `${place}.inForce`) }),
    ...(control !== undefined && { control: token(control, `${place}.control`) }),
    ...(days !== undefined && { days }),
    ...(beyond !== undefined && { beyond: text1(beyond, `${place}.beyond`) }),
  };
}

function object(
  value: unknown,
  place: string,
  members: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw invalid(place, "must be an object");
  const found = Object.fromEntries<unknown>(Object.entries(value));
  const unknown = Object.keys(found).find((name) => !members.includes(name));
  if (unknown !== undefined)
    throw invalid(place, `has ${JSON.stringify(unknown)}, which is none of ${members.join(", ")}`);
  return found;
}

function list(value: unknown, place: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(place, "must be a list");
}

function text1(value: unknown, place: string): string {
  if (typeof value === "string" && value.trim() !== "") return value;
  throw invalid(place, "must be a non-empty string");
}

function day(value: unknown, place: string): string {
  if (
    typeof value === "string" &&
    /^\d{4}-\d\d-\d\d$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  )
    return value;
  throw invalid(place, "must be a day: 2027-12-02");
}

function token(value: unknown, place: string): string {
  if (typeof value === "string" && /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(value)) return value;
  throw invalid(place, "must be an OSCAL token: letters, digits, dots, hyphens");
}

function url(value: unknown, place: string): string {
  if (typeof value === "string" && /^https:\/\/\S+$/.test(value)) return value;
  throw invalid(place, "must be an https URL");
}

function invalid(place: string, problem: string): AuditInputError {
  return new AuditInputError(`The profile${place === "" ? "" : `'s ${place}`} ${problem}`);
}
