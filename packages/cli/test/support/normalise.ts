// What differs from run to run, replaced by what does not.
import type { SampleLog } from "./sample-log.ts";

/**
 * The text with names for ids, times, keys, hashes and places. Times of 2024 and 2025 are of the
 * tests themselves.
 */
export function normalise(text: string, sample?: SampleLog): string {
  let result = text;
  if (sample !== undefined) {
    const { root, vkey, ids } = sample;
    const names = new Map([
      [vkey, "VKEY"],
      [vkey.split("+").slice(0, 2).join("+"), "example.com/audit+KEYHASH"],
      [root, "ROOT"],
      ...ids.map((id, at) => [id, `entry-${at + 1}-${"0".repeat(28)}`] as const),
    ]);
    for (const [what, name] of names) result = result.replaceAll(what, name);
  }
  return result
    .replaceAll(/\b20(?!24|25)\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "2026-01-01T00:00:00.000Z")
    .replaceAll(/\b20(?!24|25)\d\d-\d\d-\d\d \d\d:\d\d:\d\d/g, "2026-01-01 00:00:00")
    .replaceAll(/\b20(?!24|25)\d\d-\d\d-\d\d(?!T)\b/g, "2026-01-01")
    .replaceAll(/audit_20(?!24|25)\d{6}/g, "audit_20260101")
    .replaceAll(/hmac-sha256:[\w-]{43}/g, "hmac-sha256:HASH")
    .replaceAll(/(example\.com\/audit)\/[\w-]{16}\//g, "$1/STREAM/")
    .replaceAll(/(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?=\s)/g, "ROOTHASH")
    .replaceAll(/(?<=— example\.com\/audit )[A-Za-z0-9+/]{91}=/g, "SIGNATURE");
}
