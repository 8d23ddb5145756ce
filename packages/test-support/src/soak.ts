// How long tests go on that try many cases: briefly, or with AUDIT_SOAK=1 as long as CI and a
// release want.

/** Whether this run has the time. */
export const isSoak: boolean = process.env["AUDIT_SOAK"] === "1";

/** How often to try: the second number in a soak. */
export function times(usual: number, inSoak: number): number {
  return isSoak ? inSoak : usual;
}
