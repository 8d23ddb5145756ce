// Answers of providers in their own protocols, as they stand on the wire, and what an entry of the
// LangChain handler holds of each.
import { readCases } from "./read-cases.ts";
import type { Pinned } from "./corpus.ts";

const DIRECTORY = new URL("../native-corpus/", import.meta.url);

/** Ways to call a model: `agent` is a stream of `createAgent`. */
export type NativeMode = "invoke" | "stream" | "agent";

/** One answer of a provider. */
export interface NativeCase {
  /** Name of the file: whose protocol this is. */
  readonly provider: string;
  readonly name: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The events of the same answer as a stream. */
  readonly events?: readonly unknown[];
  /** The entry, by package of LangChain without `@langchain/` and by mode. */
  readonly entries: Readonly<Record<string, Partial<Readonly<Record<NativeMode, Pinned>>>>>;
}

/** All cases, in the order of their files. */
export function nativeCorpus(): readonly NativeCase[] {
  return readCases(DIRECTORY, isCase);
}

function isCase(value: object): value is NativeCase {
  return "name" in value && "entries" in value && ("body" in value || "events" in value);
}
