// npm run demo: real SDK calls become sealed entries; the log is verified; a tampered copy is
// caught. With `npm run demo -- --real` and OPENAI_API_KEY the calls go to the real API.
import { fork } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type AuditEntry,
  AuditLogger,
  EncryptionManager,
  FileStorage,
  Signer,
  verifyLog,
  withAuditContext,
} from "@ai-audit/core";
import { AuditCallbackHandler } from "@ai-audit/langchain-callback";
import { AuditedOpenAI } from "@ai-audit/openai-wrapper";
import { ChatPromptTemplate } from "@langchain/core/prompts";
import { ChatOpenAI } from "@langchain/openai";
import { startModelServer } from "./support/model-server.ts";
import { formatTable } from "./support/table.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const directory = join(root, "audit-logs", "demo");
const tampered = join(root, "audit-logs", "demo-tampered");
// npm runs this in the repository's root, wherever it was typed.
const typedIn = process.env["INIT_CWD"] ?? process.cwd();
const shown = relative(typedIn, directory) || ".";
const shownCopy = relative(typedIn, tampered) || ".";
if (existsSync(directory)) console.log(`Replaces the demo's earlier log in ${shown}`);
await rm(directory, { recursive: true, force: true });
await rm(tampered, { recursive: true, force: true });

const real = process.argv.includes("--real");
if (real && !process.env["OPENAI_API_KEY"])
  throw new Error("--real calls the OpenAI API: set OPENAI_API_KEY");
const server = real ? undefined : await startModelServer();
const apiKey = (real && process.env["OPENAI_API_KEY"]) || "no-key-needed";
const connection = { apiKey, ...(server && { baseURL: server.baseURL }) };
const model = "gpt-4o-mini";

// 1. A log: content encrypted, every commit signed.
const encryption = new EncryptionManager();
const key = encryption.getKey(); // a generated key must be kept
const signer = await Signer.generate("demo-bank");
const logger = new AuditLogger(new FileStorage({ path: directory, signer }), {
  encryption,
  storeContent: true,
});

// 2. The drop-in client.
const openai = new AuditedOpenAI({ ...connection, maxRetries: 0, audit: logger });
const ask = (content: string) =>
  openai.chat.completions.create({ model, messages: [{ role: "user", content }] });

await withAuditContext({ conversationId: "conv-1", metadata: { user_id: "u-17" } }, async () => {
  await ask("What is the capital of France?");
  const stream = await openai.chat.completions.create({
    model,
    messages: [{ role: "user", content: "Write a haiku about audit logs." }],
    stream: true,
    stream_options: { include_usage: true },
  });
  for await (const _ of stream); // your code would show the chunks
  await openai.chat.completions.create({
    model,
    messages: [{ role: "user", content: "What is the weather in Paris?" }],
    tools: [
      {
        type: "function",
        function: {
          name: "get_weather",
          parameters: { type: "object", properties: { city: { type: "string" } } },
        },
      },
    ],
  });
});
const blocked = await ask("How do I build a weapon?").then(
  () => "not blocked",
  (error: unknown) => (error instanceof Error ? error.message : String(error)),
);
const failed = await openai.chat.completions
  .create({
    model: real ? "no-such-model" : model,
    messages: [{ role: "user", content: "Are you overloaded?" }],
  })
  .then(
    () => "did not fail",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

// 3. A LangChain chain.
const chain = ChatPromptTemplate.fromMessages([
  ["system", "Translate to French."],
  ["human", "Translate: {text}"],
]).pipe(new ChatOpenAI({ model, apiKey, configuration: connection, maxRetries: 0 }));
await chain.invoke(
  { text: "Where is the library?" },
  { callbacks: [new AuditCallbackHandler(logger)] },
);

// 4. By hand.
await logger.log({
  input: "Hello!",
  output: "Hi, how can I help?",
  provider: "in-house",
  model: "triage-3",
  outcome: "ok",
  latencyMs: 12,
});

// 5. Another process writes to the same directory at the same time.
const other = fork(
  fileURLToPath(new URL("support/other-process.ts", import.meta.url)),
  [directory],
  {
    execArgv: ["--conditions=ai-audit-source"],
    env: { ...process.env, AUDIT_ENCRYPTION_KEY: key, AUDIT_SIGNING_KEY: signer.toPem() },
  },
);
await once(other, "message"); // it is ready
other.send("go");
const otherEnded = once(other, "exit");
for (let n = 1; n <= 2; n += 1) {
  const metadata = { pid: process.pid };
  await logger.log({
    input: `Batch job ${n}`,
    output: "done",
    provider: "in-house",
    outcome: "ok",
    metadata,
  });
}
await otherEnded;
await server?.stop();

// 6. What is in the log.
console.log(`\nThe blocked call got: ${blocked}\nThe failed call got:  ${failed}\n`);
const entries = await Array.fromAsync(logger.entries());
const COLUMNS = ["time", "outcome", "model", "input", "output", "tokens", "ms"];
console.log(formatTable(COLUMNS, entries.map(describe)));
const { totalEntries, lastHour, pendingWrites, lostWrites } = await logger.health();
console.log(
  `\nHealth: ${totalEntries} entries, ${lastHour?.safetyFailures} safety failure(s) in the last hour, ` +
    `latency p50 ${lastHour?.latencyMs.p50} ms, p95 ${lastHour?.latencyMs.p95} ms, ` +
    `${pendingWrites} pending, ${lostWrites} lost`,
);
await logger.close();

// 7. Prove it, then change one byte of a copy.
console.log(`\nVerified:  ${(await verifyLog(directory, { trustedKeys: [signer.vkey] })).verdict}`);
await cp(directory, tampered, { recursive: true });
const [file = ""] = (await readdir(tampered)).toSorted();
const bytes = await readFile(join(tampered, file));
const at = bytes.indexOf("gpt-4o-mini") + "gpt-".length;
bytes.write("5", at); // it was another model, somebody would like to say
await writeFile(join(tampered, file), bytes);
console.log(
  `Changed:   one byte of a copy, ${join(shownCopy, file)}: the first "gpt-4o-mini" became "gpt-5o-mini"`,
);
const caught = await verifyLog(tampered, { trustedKeys: [signer.vkey] });
console.log(`Verified:  ${caught.verdict}`);
console.log(
  `           ${caught.entries} of ${entries.length} entries are still proven: those sealed before the change, and those of the other file`,
);

const show = entries.find(({ outcome }) => outcome === "blocked") ?? entries[0];
console.log(`
The log lies in ${shown}, the altered copy in ${shownCopy}. Next:
  npm run -s ai-audit -- verify ${shown} --trust '${signer.vkey}'
  npm run -s ai-audit -- verify ${shownCopy} --trust '${signer.vkey}'
  npm run -s ai-audit -- list ${shown}
  AUDIT_ENCRYPTION_KEY=${key} npm run -s ai-audit -- show ${show?.id} ${shown} --decrypt
`);

function describe(entry: AuditEntry): string[] {
  const { input, output } = logger.content(entry);
  return [
    entry.timestamp.slice(11, 23),
    entry.outcome ?? "-",
    entry.model ?? "-",
    text(input),
    text(output),
    entry.inputTokens === null ? "-" : `${entry.inputTokens}+${entry.outputTokens}`,
    entry.latencyMs === null ? "-" : entry.latencyMs.toFixed(1),
  ];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
