// Clean-ups of one bucket at the same time, as a scheduled clean-up in every process makes them.
import { setTimeout as sleep } from "node:timers/promises";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { AuditLogger } from "../../../src/index.ts";
import type { S3Storage } from "../../../src/storage/s3/index.ts";
import { testEntry } from "../../../src/testing.ts";
import { S3Log } from "../../support/s3-log.ts";

const DAY_MS = 86_400_000;

describe.skipIf(isLeftOut("moto"))("Two clean-ups of one bucket", { timeout: 120_000 }, () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await s3Server("moto");
  }, 120_000);

  it.each([0, 5, 20, 60, 150])(
    "raise no alarm, and leave what retention keeps, the second %d ms later",
    async (ms) => {
      const log = await S3Log.make(server);
      for (let days = 8; days > 0; days -= 1) {
        const storage = log.storage();
        const { id, line } = testEntry(Date.now() - days * DAY_MS);
        await storage.append(line, id);
        await storage.close();
      }
      const reported: string[] = [];
      const open = (): AuditLogger =>
        new AuditLogger(log.storage(), {
          retentionDays: 2,
          onError: ({ message }) => reported.push(message),
        });
      const [first, second] = [open(), open()];
      const kept = await Promise.all(
        [first, second].map((logger) => logger.log({ input: "kept", output: "" })),
      );
      await Promise.all([first.cleanupExpired(), sleep(ms).then(() => second.cleanupExpired())]);
      await Promise.all([first.close(), second.close()]);

      expect(reported).toEqual([]);
      await using reader = new AuditLogger(log.storage());
      const ids = await Array.fromAsync(reader.entries(), ({ id }) => id);
      expect(ids).toEqual(expect.arrayContaining(kept));
      expect(ids).toHaveLength(4);
      expect(await log.verify()).toMatchObject({ exitCode: 0 });
    },
  );

  it("raises no alarm where the writer of an expired day ends its segment meanwhile", async () => {
    const log = await S3Log.make(server);
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 5 * DAY_MS });
    const sleeper = log.storage();
    await append(sleeper);
    vi.useRealTimers();
    const client = server.client();
    const witness = log.storage();
    let isAwake = false;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === "PutObjectCommand" && !isAwake) {
            isAwake = true;
            await sleeper.close();
            await append(witness);
          }
          return next(args);
        },
      { step: "initialize" },
    );
    const cleaner = log.storage({ client });
    const now = Date.now();
    const expired = { before: now - 2 * DAY_MS, policy: "retention 2 days", actor: "test", now };

    expect((await cleaner.prune(expired)).files).toEqual([]);
    expect(isAwake).toBe(true);
    expect(await log.verify()).toMatchObject({ exitCode: 0 });

    expect((await cleaner.prune(expired)).files).toHaveLength(2);
    await Promise.all([cleaner.close(), witness.close()]);
    expect(await log.verify()).toMatchObject({ exitCode: 0 });
  });
});

async function append(storage: S3Storage): Promise<void> {
  const { line, id } = testEntry(Date.now());
  await storage.append(line, id);
}
