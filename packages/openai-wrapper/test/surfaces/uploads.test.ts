// Uploads by fs.createReadStream(), as the SDK's README does them, on every version of the SDK.
import { createHash } from "node:crypto";
import { createReadStream, type ReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import { AuditLogger, MemoryStorage } from "@ai-audit/core";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import type { OpenAI } from "openai";
import { describe, expect, it } from "vitest";
import { withAudit } from "../../src/index.ts";
import { loadSdk, VERSIONS } from "../equivalence/same-behaviour.ts";

const BYTES = Buffer.alloc(3_000_000, 5);

const FILE = {
  name: "speech.wav",
  bytes: BYTES.length,
  sha256: createHash("sha256").update(BYTES).digest("hex"),
};

async function serve(listener: RequestListener): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Upload = (client: OpenAI, file: ReadStream) => Promise<unknown>;

const UPLOADS: readonly (readonly [string, Upload, object, object])[] = [
  [
    "a transcription",
    (client, file) =>
      client.audio.transcriptions.create({
        model: "whisper-1",
        language: "de",
        prompt: "Names",
        file,
      }),
    { operation: "transcription", model: "whisper-1", parameters: { language: "de" } },
    { prompt: "Names", file: FILE },
  ],
  [
    "a file",
    (client, file) => client.files.create({ purpose: "assistants", file }),
    { operation: "files.create", parameters: { purpose: "assistants" } },
    { file: FILE },
  ],
  [
    "an image to edit",
    (client, image) => client.images.edit({ model: "gpt-image-1", prompt: "A hat", image }),
    { operation: "image_edit", model: "gpt-image-1" },
    { prompt: "A hat", image: FILE },
  ],
];

describe.each(VERSIONS)("an upload by createReadStream, with %s", (version) => {
  it.each(UPLOADS)("has model, parameters, name, size and digest: %s", async (...row) => {
    const [, upload, fields, input] = row;
    let received = 0;
    await using server = await serve((request, response) => {
      request.on("data", (piece: Buffer) => (received += piece.length));
      request.on("end", () => {
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ text: "hello", id: "file-1", data: [] }));
      });
    });
    const path = join(await temporaryDirectory(), FILE.name);
    await writeFile(path, BYTES);
    const sdk = await loadSdk(version);
    const logger = new AuditLogger(new MemoryStorage(), { storeContent: true });
    const client = new (withAudit(sdk.OpenAI))({ apiKey: "k", baseURL: server.url, audit: logger });
    await upload(client, createReadStream(path));
    const [entry, ...more] = await Array.fromAsync(logger.entries());
    if (!entry) throw new Error("no entry");
    expect(more).toEqual([]);
    expect(received).toBeGreaterThan(BYTES.length);
    expect(entry).toMatchObject({ ...fields, alerts: [] });
    expect(logger.content(entry).input).toMatchObject(input);
    await logger.close();
  });
});

/** Versions that send such a file as it is read; those before take it into memory first. */
const STREAMING = ["openai-v6-newest", "openai-v7", "openai"] as const;

describe.each(STREAMING)("a file that the server does not take, with %s", (version) => {
  it("is read no further than without the audit", async () => {
    await using server = await serve((request) => void request.pause());
    const path = join(await temporaryDirectory(), "large.wav");
    await writeFile(path, Buffer.alloc(40_000_000, 5));
    const sdk = await loadSdk(version);
    const logger = new AuditLogger(new MemoryStorage());
    const options = { apiKey: "k", baseURL: server.url, maxRetries: 0 };
    const clients = [
      new sdk.OpenAI(options),
      new (withAudit(sdk.OpenAI))({ ...options, audit: logger }),
    ];
    const read: number[] = [];
    for (const client of clients) {
      const file = createReadStream(path);
      const leave = new AbortController();
      const call = client.files.create({ purpose: "assistants", file }, { signal: leave.signal });
      const ended = call.catch(() => undefined);
      let before = -1;
      // Until the buffers on the way are full.
      await expect
        .poll(() => before === (before = file.bytesRead) && before > 0, {
          interval: 200,
          timeout: 10_000,
        })
        .toBe(true);
      read.push(file.bytesRead);
      leave.abort();
      await ended;
    }
    const [plain = 0, audited = 0] = read;
    expect(plain).toBeLessThan(40_000_000);
    expect(audited).toBeLessThan(plain + 2_000_000); // buffers of the socket differ from run to run
    await logger.close();
  });
});
