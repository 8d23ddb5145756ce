import { join } from "node:path";
import { AuditLogger } from "@ai-audit/core";
import { S3Storage } from "@ai-audit/core/s3";
import { beforeAll, describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { s3Server, type S3Server } from "@ai-audit/test-support/s3-servers";
import { ownSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { cliOnTerminal, screenOf } from "../support/terminal.ts";

describe.skipIf(isLeftOut("moto"))(
  "A bar on a terminal, of a log in a bucket",
  { timeout: 120_000 },
  () => {
    let server: S3Server;
    let env: Readonly<Record<string, string>>;
    let location: string;
    let id: string;

    beforeAll(async () => {
      server = await s3Server("moto");
      env = {
        AWS_ENDPOINT_URL_S3: server.endpoint,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "testtest",
      };
      const bucket = await server.makeBucket();
      const logger = new AuditLogger(
        new S3Storage({ bucket, prefix: "app", client: server.client() }),
      );
      id = await logger.log({ input: "one", output: "", model: "gpt-5" });
      await logger.log({ input: "two", output: "" });
      await logger.close();
      location = `s3://${bucket}/app`;
    }, 120_000);

    it("says how much of the segments was sent by ship", async () => {
      const sample = await ownSample();
      const to = `s3://${await server.makeBucket()}/archive`;
      const { bars, rest } = screenOf(
        await cliOnTerminal(["ship", sample.directory, "--to", to], { env }),
      );
      expect(bars.at(-1)).toMatch(/^shipping █{24} 100 % \d segments?$/);
      expect(rest).toBe("");
    });

    it.each(["verify", "list", "query", "stats", "export"])("is shown by %s", async (command) => {
      const { bars, rest } = screenOf(await cliOnTerminal([command, location], { env }));
      expect(bars.at(-1)).toMatch(/^\w+ █{24} 100 %/);
      expect(rest).not.toMatch(/[█░]/);
    });

    it("is shown by prove, and by sql for the download", async () => {
      const output = join(await temporaryDirectory(), "proof");
      const proven = screenOf(await cliOnTerminal(["prove", id, location, "-o", output], { env }));
      expect(proven.bars.at(-1)).toMatch(/^searching █+░* \d+ % audit_\d{8}\S*\.jsonl$/);
      const asked = screenOf(
        await cliOnTerminal(["sql", "SELECT id FROM entries", location], { env }),
      );
      expect(asked.bars.some((bar) => /^downloading █{24} 100 % \S+ (?:KiB|B)$/.test(bar))).toBe(
        true,
      );
      expect(asked.rest).not.toMatch(/[█░]/);
    });
  },
);
