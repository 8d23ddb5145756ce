// JSON that may hold secrets.

/** The JSON value of a string; undefined when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the engine's message quotes the text, and a `cause` must not hold a key or plaintext
  }
}
