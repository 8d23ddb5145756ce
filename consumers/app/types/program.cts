// A strictly typed program, in every compiler and resolution that has it: CommonJS.
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import DefaultAnthropic, { AuditedAnthropic as Anthropic } from "@ai-audit/anthropic";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import Default, { AuditedOpenAI as OpenAI, auditOptions, toFile } from "@ai-audit/openai-wrapper";
import { ChatOpenAI } from "@langchain/openai";
import { OpenAI as Plain } from "openai";

export async function program(): Promise<void> {
  const logger = new AuditLogger(new MemoryStorage());
  const client = new OpenAI({ apiKey: "k", audit: logger });
  const plain: Plain = client;
  const same: typeof OpenAI = Default;
  const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: "user", content: "Hi" }];
  try {
    await plain.chat.completions.create(
      { model: "m", messages },
      auditOptions({ conversationId: "c" }),
    );
  } catch (error) {
    if (error instanceof OpenAI.APIError) console.error(error.status);
  }
  const claude = new Anthropic({ apiKey: "k", audit: logger });
  const sameClaude: typeof Anthropic = DefaultAnthropic;
  const asked: Anthropic.MessageCreateParamsNonStreaming = {
    model: "m",
    max_tokens: 1,
    messages: [{ role: "user", content: "Hi" }] satisfies Anthropic.MessageParam[],
  };
  const said: Anthropic.Message = await claude.messages.create(
    asked,
    auditOptions({ subject: "s" }),
  );
  console.log(said.content, sameClaude, Anthropic.APIError);
  const model = new ChatOpenAI({ callbacks: [new AuditCallbackHandler(logger)] });
  console.log(await model.invoke("Hi"), same, toFile);
}
