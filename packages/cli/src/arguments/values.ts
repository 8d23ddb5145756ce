// Reads values of arguments and options. An error names the value and the accepted forms.
import { InvalidArgumentError } from "commander";

/** A whole number, at least 1. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return count;
}

/** A whole number of days, 0 or more. */
export function parseDays(text: string): number {
  const days = Number(text);
  if (text === "" || !Number.isSafeInteger(days) || days < 0)
    throw new InvalidArgumentError("It must be a number of days.");
  return days;
}

/** Seconds, more than 0. */
export function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!(seconds > 0)) throw new InvalidArgumentError("It must be a number of seconds.");
  return seconds;
}

/** Gathers the values of a repeatable option. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** Gathers the values of a repeatable option `key=value`. */
export function collectPairs(
  text: string,
  previous: readonly (readonly [string, string])[] | undefined,
): readonly (readonly [string, string])[] {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It must be key=value.");
  return [...(previous ?? []), [text.slice(0, at), text.slice(at + 1)]];
}
