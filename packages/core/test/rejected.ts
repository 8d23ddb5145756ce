/** What a promise rejects with, or a function throws; an error of its own when neither happens. */
export async function rejected(attempt: Promise<unknown> | (() => unknown)): Promise<unknown> {
  try {
    await (typeof attempt === "function" ? attempt() : attempt);
  } catch (error) {
    return error;
  }
  throw new Error("expected an error");
}
