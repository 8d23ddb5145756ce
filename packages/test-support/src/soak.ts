// The length of tests that try many cases: briefly, or with AUDIT_SOAK=1 as long as CI and a
// release want.

/** Whether this run has the time. */
export const isSoak: boolean = process.env["AUDIT_SOAK"] === "1";

/** The number of tries: the second one in a soak. */
export function times(usual: number, inSoak: number): number {
  return isSoak ? inSoak : usual;
}
