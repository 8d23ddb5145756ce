// The corpus of odd payloads through ChatOpenAI and the handler. Of some answers LangChain drops
// members before its handlers are called: their entries say less than the audited client's.
import { corpus } from "@ai-audit/test-support/corpus";
import { describe, expect, it } from "vitest";
import { handlerEntry } from "./corpus-entry.ts";

const CASES = corpus().map((one) => [one.provider, one.name, one] as const);

describe("the corpus of payloads", () => {
  it.each(CASES)("leaves its entry: %s, %s", async (_, __, one) => {
    expect(await handlerEntry(one)).toEqual(one.handler);
  });
});
