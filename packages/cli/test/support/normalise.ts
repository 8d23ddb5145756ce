// What differs from run to run, replaced by what does not.
import type { SampleLog } from "./sample-log.ts";

/** The text with names for ids, times, keys, hashes and places. */
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
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "2026-01-01T00:00:00.000Z")
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, "2026-01-01 00:00:00")
    .replaceAll(/\d{4}-\d\d-\d\d (\d\d):00/g, "2026-01-01 00:00")
    .replaceAll(/audit_\d{8}/g, "audit_20260101")
    .replaceAll(/hmac-sha256:[\w-]{43}/g, "hmac-sha256:HASH")
    .replaceAll(/\b2\d{3}-\d\d-\d\d(?!T)\b/g, "2026-01-01")
    .replaceAll(/(example\.com\/audit)\/[\w-]{16}\//g, "$1/STREAM/")
    .replaceAll(/eyJ[\w-]+\.\.[\w.-]+/g, "JWE");
}
