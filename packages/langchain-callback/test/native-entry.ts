// One call of a model of LangChain's own packages against one answer on the wire, and its entry.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import type { Pinned } from "@ai-audit/test-support/corpus";
import { pinned } from "@ai-audit/test-support/corpus-server";
import type { NativeCase, NativeMode } from "@ai-audit/test-support/native-corpus";
import { createAgent } from "langchain";
import { AuditCallbackHandler } from "../src/index.ts";
import { only } from "./fixtures.ts";
import { HOSTS, startNativeServer } from "./native-server.ts";

/** The modes in which a package can be given this answer. */
export function modesOf(one: NativeCase, name: string): readonly NativeMode[] {
  const isFailure = (one.status ?? 200) >= 400;
  const invoked = one.body !== undefined || HOSTS[name]?.framing === "ndjson";
  const streamed = one.events !== undefined || isFailure;
  return [...(invoked ? ["invoke" as const] : []), ...(streamed ? STREAMED : [])];
}

const STREAMED = ["stream", "agent"] as const;

/** The members of the only entry that say something, without what differs from run to run. */
export async function nativeEntry(
  one: NativeCase,
  name: string,
  mode: NativeMode,
): Promise<Pinned> {
  const host = HOSTS[name];
  if (host === undefined) throw new Error(`no package ${name}`);
  const { status = 200, headers = {}, body, events } = one;
  const whole = { status, headers, body };
  const isWhole = body !== undefined && (mode === "invoke" || events === undefined);
  const answer = isWhole || events === undefined ? whole : { status, headers, events };
  await using server = await startNativeServer([answer], host.framing);
  const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
  await ask(host.model(server.url), mode, new AuditCallbackHandler(logger)).catch(() => undefined);
  const entry = only(await Array.fromAsync(logger.entries()));
  const { output, diagnostics } = logger.content(entry);
  const { provider, server: called, requestId, streamed } = entry;
  await logger.close();
  return comparable(pinned({ ...entry, output, diagnostics }), {
    provider,
    address: called?.address,
    requestId,
    streamed,
  });
}

async function ask(
  model: BaseChatModel,
  mode: NativeMode,
  handler: AuditCallbackHandler,
): Promise<void> {
  const callbacks = [handler];
  if (mode === "invoke") await model.invoke("hi", { callbacks });
  else if (mode === "stream") for await (const _ of await model.stream("hi", { callbacks }));
  else {
    const agent = createAgent({ model, tools: [] });
    const options = { streamMode: "messages" as const, callbacks };
    for await (const _ of await agent.stream({ messages: "hi" }, options));
  }
}

/** Ports and ids that hosts make up are the same in every run. */
function comparable(entry: Pinned, more: Pinned): Pinned {
  const text = JSON.stringify({ ...more, ...entry })
    .replaceAll(
      /"(?:lc-tool-call-[\da-f]{32}|[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})"/g,
      '"(made up)"',
    )
    .replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1");
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== "object" || parsed === null) throw new Error("no entry");
  return { ...parsed };
}
