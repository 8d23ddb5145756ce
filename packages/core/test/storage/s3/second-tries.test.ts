// A commit that a directory's writer wrote twice, after both segments were shipped.
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { beforeAll, describe, expect, it } from "vitest";
import { AuditLogger, FileStorage } from "../../../src/index.ts";
import { formatControlLine } from "../../../src/format/control-line.ts";
import { S3Archive } from "../../../src/storage/s3/index.ts";
import { testEntry } from "../../../src/testing.ts";
import { S3Log } from "../../support/s3-log.ts";
import { entryLines, idOfLine, writeSegment } from "../../verify/log-builder.ts";

describe.skipIf(isLeftOut("moto"))("A commit that was written again", { timeout: 120_000 }, () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await s3Server("moto");
  }, 120_000);

  it("counts once in the archive, as in the directory, and both segments verify", async () => {
    const log = await S3Log.make(server);
    const { bucket, prefix, client, signer } = log;
    const path = await temporaryDirectory();
    const [file, next] = ["audit_20261101.jsonl", "audit_20261101_001.jsonl"];
    const lines = entryLines(5);
    const prev = await writeSegment(path, {
      file,
      signer,
      commits: [lines.slice(0, 2), lines.slice(2, 4)],
      end: "unclosed",
    });
    const again = formatControlLine({
      type: "again",
      file,
      leaf: 3,
      first: idOfLine(lines[2]),
      last: idOfLine(lines[3]),
      count: 2,
      reason: "EIO",
    });
    await writeSegment(path, {
      file: next,
      seq: 1,
      prev,
      signer,
      commits: [[again, ...lines.slice(2, 4)], lines.slice(4)],
    });
    const days = 86_400;
    await utimes(join(path, file), 1, Date.now() / 1000 - 2 * days);

    const archive = new S3Archive({ bucket, prefix, client });
    const storage = new FileStorage({ path, signer, archive });
    const { id, line } = testEntry(Date.now());
    await storage.append(line, id);
    await storage.close();

    expect((await log.keys()).map((key) => key.split("/").at(-1))).toEqual(
      expect.arrayContaining([file, next]),
    );
    for (const at of [new FileStorage({ path, signer }), log.storage()]) {
      await using logger = new AuditLogger(at);
      const ids = (await Array.fromAsync(logger.entries())).map((entry) => entry.id);
      expect(ids).toHaveLength(6);
      expect(new Set(ids).size).toBe(6);
      expect(await logger.count()).toBe(6);
      expect(await logger.count({ to: new Date("2026-11-02T00:00:00Z") })).toBe(5);
    }
    expect(await log.verify()).toMatchObject({ exitCode: 0 });
  });
});
