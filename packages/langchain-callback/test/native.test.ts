// Providers' own protocols through LangChain's own packages: the bytes of a provider on a local
// server, and the whole entry, for a call, a stream and a streamed agent.
import {
  nativeCorpus,
  type NativeCase,
  type NativeMode,
} from "@ai-audit/test-support/native-corpus";
import { describe, expect, it } from "vitest";
import { OLDEST_HOST } from "./fixtures.ts";
import { modesOf, nativeEntry } from "./native-entry.ts";

const ROWS = nativeCorpus().flatMap((one) =>
  Object.keys(one.entries).flatMap((name) =>
    modesOf(one, name).map((mode): [string, string, NativeMode, NativeCase] => [
      name,
      one.name,
      mode,
      one,
    ]),
  ),
);

describe.skipIf(OLDEST_HOST)("an answer of a provider in its own protocol", () => {
  it.each(ROWS)("leaves its whole entry: %s, %s, %s", async (name, _, mode, one) => {
    expect(await nativeEntry(one, name, mode)).toEqual(one.entries[name]?.[mode]);
  });
});
