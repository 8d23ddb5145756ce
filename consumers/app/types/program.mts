// A strictly typed program, in every compiler and resolution: ES module.
import { AuditLogger, EncryptionManager, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import { S3Archive, S3Storage } from "@ai-audit/core/s3";
import { AuditSql } from "@ai-audit/core/sql";
import DefaultAnthropic, { AuditedAnthropic as Anthropic } from "@ai-audit/anthropic";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import Default, { AuditedOpenAI as OpenAI, auditOptions, toFile } from "@ai-audit/openai-wrapper";
import { ChatOpenAI } from "@langchain/openai";
import { OpenAI as Plain } from "openai";

export async function program(signer: Signer): Promise<void> {
  const archive = new S3Archive({ bucket: "b", prefix: "p/", region: "us-east-1" });
  const storage = new FileStorage({ path: "./audit-logs", signer, archive });
  const logger = new AuditLogger(storage, { encryption: new EncryptionManager() });
  const client = new OpenAI({ apiKey: "k", audit: logger });
  const plain: Plain = client;
  const same: typeof OpenAI = Default;
  const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: "user", content: "Hi" }];
  const parameters: OpenAI.ChatCompletionCreateParamsNonStreaming = { model: "m", messages };
  try {
    const answer: OpenAI.ChatCompletion = await client.chat.completions.create(
      parameters,
      auditOptions({ conversationId: "c" }),
    );
    await logger.log({ input: "Hi", output: answer.choices[0]?.message.content ?? "" });
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
  await model.invoke("Hi");
  const sql = await AuditSql.open({ paths: "./audit-logs" });
  const verification = await verifyLog("./audit-logs", { trustedKeys: [signer.vkey] });
  console.log(verification.verdict, plain, same, sql, toFile, new S3Storage({ bucket: "b" }));
}
