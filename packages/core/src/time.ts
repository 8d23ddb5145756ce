// Units of time.

/** Milliseconds of a UTC day. */
export const DAY_MS = 86_400_000;

/** Milliseconds of an hour. */
export const HOUR_MS = 3_600_000;
