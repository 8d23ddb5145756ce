// Tool calls that wait for a person, and the decisions of people: one entry each.
import {
  type CapturedFields,
  defined,
  type Fields,
  fieldsOf,
  listOf,
  RecentMap,
  snapshot,
  textOf,
} from "@ai-audit/core/capture";
import type { Settings } from "./options.ts";

/** A tool call that a person is asked about. */
interface Asked {
  readonly name: unknown;
  readonly args: unknown;
}

/** People take their time: more requests than this forget the oldest one's tool call. */
const MAX_ASKED = 2000;

/** Requests and decisions of one audit. An approval's id names both. */
export class Approvals {
  readonly #settings: Settings;
  readonly #asked = new RecentMap<string, Asked>(MAX_ASKED);
  /** Later turns of a conversation repeat its messages. */
  readonly #decided = new RecentMap<string, true>(MAX_ASKED);

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Records the requests in a model's answer: of tools that its provider runs. */
  async inAnswer(result: unknown, runId: string): Promise<void> {
    const parts = listOf(fieldsOf(result)["content"]).map(fieldsOf);
    for (const part of parts) {
      if (part["type"] !== "tool-approval-request") continue;
      const call = parts.find(
        ({ type, toolCallId }) => type === "tool-call" && toolCallId === part["toolCallId"],
      );
      await this.#ask(part["approvalId"], call, runId);
    }
  }

  /** Records the requests in the content of a step: the SDK asks before it runs a tool. */
  async inStep(content: unknown): Promise<void> {
    for (const item of listOf(content)) {
      const part = fieldsOf(item);
      if (part["type"] === "tool-approval-request" && part["isAutomatic"] !== true)
        await this.#ask(part["approvalId"], fieldsOf(part["toolCall"]), undefined);
    }
  }

  async #ask(id: unknown, call: Fields | undefined, runId: string | undefined): Promise<void> {
    const approvalId = textOf(id);
    if (approvalId === undefined || this.#asked.get(approvalId) !== undefined) return;
    const asked = { name: call?.["toolName"], args: argumentsIn(call?.["input"]) };
    this.#asked.set(approvalId, asked);
    await this.#record({
      operation: "human_review",
      outcome: "interrupted",
      input: snapshot(asked),
      output: "",
      metadata: { interrupt_ids: [approvalId] },
      run: defined({ requestedByRun: runId, toolCallId: textOf(call?.["toolCallId"]) }),
    });
  }

  /** Records the decisions in the last message: earlier ones were recorded when they were new. */
  async inPrompt(messages: unknown): Promise<void> {
    const { role, content } = fieldsOf(listOf(messages).at(-1));
    if (role !== "tool") return;
    for (const item of listOf(content)) {
      const part = fieldsOf(item);
      const approvalId = textOf(part["approvalId"]);
      if (part["type"] !== "tool-approval-response" || approvalId === undefined) continue;
      if (part["isAutomatic"] === true || this.#decided.get(approvalId)) continue;
      this.#decided.set(approvalId, true);
      try {
        await this.#record(this.#decision(approvalId, part, messages));
      } catch (unwritten) {
        this.#decided.delete(approvalId); // the caller's next try records it
        throw unwritten;
      }
    }
  }

  #decision(approvalId: string, part: Fields, messages: unknown): CapturedFields {
    const before = this.#asked.get(approvalId) ?? askedIn(messages, approvalId);
    const reason = textOf(part["reason"]);
    return {
      operation: "human_review",
      outcome: "ok",
      input: before === undefined ? "" : snapshot({ before }),
      output: reason === undefined ? "" : { reason },
      review: { of: approvalId, verdict: part["approved"] === true ? "approved" : "rejected" },
      metadata: { review: "decided" },
    };
  }

  async #record(fields: CapturedFields): Promise<void> {
    const { recorder, check } = this.#settings;
    const written = recorder.record(check.bounded(fields));
    if (recorder.failsClosed) await written;
    else written.catch(() => undefined); // reported by the recorder
  }
}

/** The tool call of a request in the same messages: another process may have asked. */
function askedIn(messages: unknown, approvalId: string): Asked | undefined {
  const parts = listOf(messages).flatMap((message) =>
    listOf(fieldsOf(message)["content"]).map(fieldsOf),
  );
  const request = parts.find(
    (part) => part["type"] === "tool-approval-request" && part["approvalId"] === approvalId,
  );
  const call = parts.find(
    ({ type, toolCallId }) => type === "tool-call" && toolCallId === request?.["toolCallId"],
  );
  return request && call && { name: call["toolName"], args: call["input"] };
}

/** Arguments as JSON: models give them as text. */
function argumentsIn(input: unknown): unknown {
  if (typeof input !== "string") return input;
  try {
    return JSON.parse(input);
  } catch {
    return input;
  }
}
