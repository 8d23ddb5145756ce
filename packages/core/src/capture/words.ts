// Clear fields that a provider fills hold words: codes, names and ids. Anything else may quote
// somebody, and stands in the diagnostics.
import type { Fields } from "./payload/read.ts";
import type { CapturedFields } from "./fields.ts";

/** Stands in a clear field for a text that is no word. */
export const IN_DIAGNOSTICS = "[in diagnostics]";

/** Up to three words of printable characters; mail addresses are none. */
const WORDS = /^(?!.*@[\w-]+\.)[^\s]{1,200}(?: [^\s]{1,60}){0,2}$/;

/** Whether a string is a code, a name or an id rather than prose. */
export function isWord(text: string): boolean {
  return WORDS.test(text);
}

/** The fields, in which texts that are no words have gone from the clear fields to diagnostics. */
export function withoutProse(fields: CapturedFields): CapturedFields {
  const { responseId, responseModel, requestId, finishReasons, error } = fields;
  const said: string[] = [];
  const word = (name: string, text: string): string => {
    if (isWord(text)) return text;
    said.push(`${name}: ${text}`);
    return IN_DIAGNOSTICS;
  };
  const clear = {
    responseId: responseId && word("response_id", responseId),
    responseModel: responseModel && word("response_model", responseModel),
    requestId: requestId && word("request_id", requestId),
    finishReasons: finishReasons?.map((reason) => word("finish_reason", reason)),
    error: error && {
      ...error,
      type: word("error.type", error.type),
      ...(error.code !== undefined && { code: word("error.code", error.code) }),
    },
  };
  if (said.length === 0) return fields;
  const alerts = [...(fields.diagnostics?.alerts ?? []), ...said];
  return { ...fields, ...clear, diagnostics: { ...fields.diagnostics, alerts } };
}

/** The members that are numbers, booleans or words. Any other text may quote content. */
export function clearFacts(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        typeof value === "number" ||
        typeof value === "boolean" ||
        (typeof value === "string" && isWord(value)),
    ),
  );
}
