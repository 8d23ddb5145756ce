// What a program does with the packages: it logs, calls, chains, verifies, and uses S3 and SQL.
// The programs beside this file differ only in how they get the packages.
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @param packages the modules: `core`, `wrapper`, `openai`; with `claude` it calls Anthropic, with `aiSdk` it asks through the AI SDK, with `handler`, `prompts` and
 *   `langchain` it chains, with `s3` and `sql` it uses them
 * @returns where the log lies, for the command
 */
export async function scenario(packages) {
  const { core, wrapper, openai, claude, aiSdk, handler, prompts, langchain, s3, sql } = packages;
  const { MODEL_URL: baseURL, S3_ENDPOINT: endpoint, S3_BUCKET: bucket } = process.env;
  const path = mkdtempSync(join(tmpdir(), "ai-audit-consumer-"));
  const signer = await core.Signer.generate("consumer");
  const storage = new core.FileStorage({ path, signer });
  const logger = new core.AuditLogger(storage, {
    encryption: new core.EncryptionManager(),
    storeContent: true,
  });

  // It logs.
  const id = await logger.log({ input: "Hello!", output: "Hi.", model: "m", provider: "p" });
  const entry = await logger.getEntry(id);
  assert.equal(entry.model, "m");
  assert.equal((await logger.content(entry)).input, "Hello!");

  // It calls, with the class that it already knows.
  const options = { apiKey: "k", baseURL, maxRetries: 0 };
  const client = new wrapper.AuditedOpenAI({ ...options, audit: logger });
  assert.ok(client instanceof openai.OpenAI, "the client is an OpenAI");
  const ask = (model, more = {}, given = undefined) =>
    client.chat.completions.create(
      { model, messages: [{ role: "user", content: "Hello!" }], ...more },
      given,
    );
  assert.equal((await ask("m")).choices[0].message.content, "Hi there.");
  let streamed = "";
  for await (const chunk of await ask("m", { stream: true }))
    streamed += chunk.choices[0]?.delta.content ?? "";
  assert.equal(streamed, "Hi there.");

  // Each failure is what the program's own openai calls it, in the log too, also in minified code.
  const failures = [
    ["RateLimitError", "error", () => ask("limited")],
    ["APIConnectionTimeoutError", "timeout", () => ask("hangs", {}, { timeout: 50 })],
    ["APIUserAbortError", "aborted", () => ask("hangs", {}, { signal: abortIn(50) })],
  ];
  for (const [name, outcome, call] of failures) {
    const error = await call().then(assert.fail, (thrown) => thrown);
    assert.ok(error instanceof openai.OpenAI[name], `the program's ${name}, not ${error}`);
    const [found] = await entriesWhere(logger, (one) => one.outcome === outcome);
    assert.equal(found?.error?.type, name, `the entry with outcome ${outcome}`);
  }
  assert.throws(() => wrapper.withAudit(Map), { code: "AUDIT_CONFIG_INVALID" });

  // It calls Anthropic: the same class, and the same names of failures.
  if (claude) {
    const { AuditedAnthropic } = claude.wrapper;
    const asked = { model: "claude", max_tokens: 9, messages: [{ role: "user", content: "Hi" }] };
    const answering = (body, status) =>
      new AuditedAnthropic({
        apiKey: "k",
        maxRetries: 0,
        audit: logger,
        fetch: async () => Response.json(body, { status }),
      });
    const content = [{ type: "text", text: "Hi there." }];
    const client = answering({ id: "m", type: "message", content, stop_reason: "end_turn" }, 200);
    assert.ok(client instanceof claude.sdk.Anthropic, "the client is an Anthropic");
    assert.equal((await client.messages.create(asked)).content[0].text, "Hi there.");
    const body = { type: "error", error: { type: "rate_limit_error", message: "No." } };
    const error = await answering(body, 429)
      .messages.create(asked)
      .then(assert.fail, (one) => one);
    assert.ok(error instanceof claude.sdk.RateLimitError, `the program's error, not ${error}`);
    const found = await entriesWhere(logger, (one) => one.model === "claude");
    assert.deepEqual(
      found.map((one) => one.error?.type ?? one.outcome),
      ["ok", "RateLimitError"],
    );
  }

  // It asks through the AI SDK, with a model of its own.
  if (aiSdk) {
    const { generateText, wrapLanguageModel } = aiSdk.ai;
    const house = {
      specificationVersion: "v4",
      provider: "house",
      modelId: "through-ai-sdk",
      supportedUrls: {},
      doGenerate: async () => ({
        content: [{ type: "text", text: "Hi there." }],
        finishReason: { unified: "stop", raw: "stop" },
        usage: { inputTokens: { total: 3 }, outputTokens: { total: 2 } },
        warnings: [],
      }),
    };
    const audit = aiSdk.wrapper.auditAiSdk({ logger });
    const model = wrapLanguageModel({ model: house, middleware: audit.languageModel });
    assert.equal((await generateText({ model, prompt: "Hi" })).text, "Hi there.");
    const found = await entriesWhere(logger, (one) => one.model === "through-ai-sdk");
    assert.deepEqual(
      found.map((one) => [one.outcome, one.inputTokens]),
      [["ok", 3]],
    );
  }

  // It chains.
  if (handler) {
    const callbacks = [new handler.AuditCallbackHandler(logger)];
    const chat = (model, more) =>
      new langchain.ChatOpenAI({
        model,
        apiKey: "k",
        maxRetries: 0,
        configuration: { baseURL },
        ...more,
      });
    const prompt = prompts.ChatPromptTemplate.fromTemplate("Translate: {text}");
    const answer = await prompt.pipe(chat("m")).invoke({ text: "Hi" }, { callbacks });
    assert.equal(answer.content, "Hi there.");
    const signal = AbortSignal.timeout(50);
    await assert.rejects(chat("hangs-in-chain").invoke("Hi", { callbacks, signal }));
    await assert.rejects(chat("limited-in-chain").invoke("Hi", { callbacks }));
    const chained = await entriesWhere(logger, (one) => one.model?.endsWith("-in-chain"));
    assert.deepEqual(chained.map((one) => one.outcome).toSorted(), ["error", "timeout"]);
    for (const one of chained) assert.match(one.error.type, /^[A-Z][A-Za-z]{8,}$/);
  }
  const count = await logger.count();
  await logger.close();

  // It verifies.
  const verification = await core.verifyLog(path, { trustedKeys: [signer.vkey] });
  assert.match(verification.verdict, /^OK: /);
  assert.equal(verification.exitCode, 0);

  // It writes to a bucket, directly and by shipping.
  const prefix = `${path.split("-").at(-1).toLowerCase()}/`;
  if (s3) {
    const connection = { bucket, prefix, region: "us-east-1", endpoint };
    const direct = new core.AuditLogger(new s3.S3Storage({ ...connection, signer }));
    await direct.log({ input: "To the bucket", output: "It is there.", model: "m" });
    assert.equal(await direct.count(), 1);
    await direct.close();
    const found = await core.verifyLog(`s3://${bucket}/${prefix}`, {
      trustedKeys: [signer.vkey],
      s3: { region: "us-east-1", endpoint },
    });
    assert.match(found.verdict, /^OK: 1 /);
    const archive = new s3.S3Archive({ ...connection, prefix: `${prefix}shipped/` });
    const shipping = new core.AuditLogger(
      new core.FileStorage({ path: join(path, "shipping"), signer, archive }),
    );
    await shipping.log({ input: "To be shipped", output: "Yes.", model: "m" });
    await shipping.close();
    const shipped = await core.verifyLog(`s3://${bucket}/${prefix}shipped/`, {
      trustedKeys: [signer.vkey],
      s3: { region: "us-east-1", endpoint },
    });
    assert.match(shipped.verdict, /^OK: 1 /);
  } else {
    await assert.rejects(core.verifyLog("s3://no-such-bucket/x").then(failed), /client-s3/);
  }

  // It asks SQL.
  if (sql) {
    const database = await sql.AuditSql.open({ paths: path });
    const [row] = await database.query("SELECT count(*)::INTEGER AS n FROM entries");
    await database.close();
    assert.equal(row.n, count);
  }
  return { path, count, key: signer.vkey, bucket: `s3://${bucket}/${prefix}` };
}

function abortIn(milliseconds) {
  const abort = new AbortController();
  setTimeout(() => abort.abort(), milliseconds);
  return abort.signal;
}

/** A verification that could not be done returns its reason; here it throws it. */
function failed({ exitCode, verdict }) {
  if (exitCode === 3) throw new Error(verdict);
  return verdict;
}

async function entriesWhere(logger, isWanted) {
  const found = [];
  for await (const entry of logger.entries()) if (isWanted(entry)) found.push(entry);
  return found;
}
