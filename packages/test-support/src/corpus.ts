// Odd payloads of many providers, as they stand on the wire, and what an entry holds of each.
import { readCases } from "./read-cases.ts";

const DIRECTORY = new URL("../corpus/", import.meta.url);

/** The members of an entry that the corpus pins. */
export type Pinned = Readonly<Record<string, unknown>>;

/** One answer of a provider. */
export interface CorpusCase {
  /** Name of the file: whose answer this is. */
  readonly provider: string;
  readonly name: string;
  readonly api: "chat" | "responses";
  /** With `body`. */
  readonly status?: number;
  readonly body?: unknown;
  /** Server-sent events in place of a body; `[DONE]` follows. */
  readonly events?: readonly unknown[];
  /** The entry of the audited client. */
  readonly client: Pinned;
  /** The entry of the handler. LangChain drops members of some answers before it is called. */
  readonly handler: Pinned;
}

/** All cases, in the order of their files. */
export function corpus(): readonly CorpusCase[] {
  return readCases(DIRECTORY, isCase);
}

function isCase(value: object): value is CorpusCase {
  return "name" in value && "api" in value && ("body" in value || "events" in value);
}
