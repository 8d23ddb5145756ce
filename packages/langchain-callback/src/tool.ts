// Fields of a tool call's entry.
import {
  type CapturedFields,
  type Fields,
  type JsonValue,
  type Run,
  censorUrl,
  defined,
  fieldsOf,
  firstText,
  listOf,
  pick,
  textOf,
} from "@ai-audit/core/capture";
import { isMessage, neutralMessage, roleOf } from "./messages.ts";
import { snapshot } from "./snapshot.ts";

/** The arguments: JSON where LangChain passes JSON text, the text otherwise. */
export function describeToolInput(input: unknown, inlineBytes: number): JsonValue {
  if (typeof input !== "string") return snapshot(input, inlineBytes);
  if (!/^\s*[{[]/.test(input)) return input;
  try {
    return snapshot(JSON.parse(input), inlineBytes);
  } catch {
    return input; // text that only begins like JSON
  }
}

/**
 * The fields of a tool's result: a string, a tool message, a command to the graph, or anything
 * else.
 */
export function describeToolOutput(output: unknown, inlineBytes: number): CapturedFields {
  const failed = isMessage(output) && output["status"] === "error";
  return {
    outcome: failed ? "error" : "ok",
    ...(failed && {
      error: { type: "ToolMessage", message: "the tool reported an error: see output" },
    }),
    output: snapshot(answerIn(output), inlineBytes),
  };
}

/** The content of a tool message: the entry's own fields repeat the rest. */
function answerIn(output: unknown): unknown {
  return isMessage(output) && roleOf(output) === "tool"
    ? neutralMessage(output)["content"]
    : output;
}

/**
 * Name and id of the call that a tool message answers. Older versions of LangChain give the id only
 * here.
 */
export function answeredCall(output: unknown): {
  readonly toolName?: string;
  readonly toolCallId?: string;
} {
  if (!isMessage(output)) return {};
  return defined({ toolName: textOf(output["name"]), toolCallId: textOf(output["tool_call_id"]) });
}

/**
 * The fields of a retrieval: whole documents as content, and their ids, sources and scores in clear
 * text.
 */
export function describeDocuments(documents: unknown, inlineBytes: number): CapturedFields {
  const found = listOf(documents);
  return {
    outcome: "ok",
    output: found.map((document) =>
      snapshot(pick(fieldsOf(document), ["id", "pageContent", "metadata"]), inlineBytes),
    ),
    metadata: { documents: found.slice(0, MAX_DOCUMENTS).map(nameDocument) },
  };
}

const MAX_DOCUMENTS = 100;
/** Longer sources are not kept in clear text: they may be content. In UTF-16 units. */
const MAX_SOURCE = 500;

/** Id, source and score, where the store or the loader gave them. */
function nameDocument(document: unknown): JsonValue {
  const { id, metadata } = fieldsOf(document);
  const facts = fieldsOf(metadata);
  const source = firstText(...SOURCES.map((name) => facts[name]));
  const score = SCORES.map((name) => facts[name]).find((each) => typeof each === "number");
  return defined({
    id: textOf(id) ?? textOf(facts["id"]),
    source: source === undefined ? undefined : censorUrl(source).slice(0, MAX_SOURCE),
    score: typeof score === "number" ? score : undefined,
  });
}

/** Members of a document's metadata under which loaders and stores name source and score. */
const SOURCES = ["source", "url", "file_path", "path", "file_name", "title"];
const SCORES = ["score", "relevance_score", "relevanceScore", "_score", "similarity"];

/** The names that LangChain gives the retriever and its store. */
export function describeRetriever(metadata: Fields): Run {
  return defined({
    retriever: textOf(metadata["ls_retriever_name"]),
    vectorStore: textOf(metadata["ls_vector_store_provider"]),
    embedding: textOf(metadata["ls_embedding_provider"]),
  });
}
