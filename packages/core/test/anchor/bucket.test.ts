// An anchor log in a bucket, of a log in a bucket.
import { randomUUID } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { type S3Server, s3Server } from "@ai-audit/test-support/s3-servers";
import { AnchorLog } from "../../src/anchor/anchor-log.ts";
import { type AnchorRunResult, beginAnchor, runAnchor } from "../../src/anchor/anchorer.ts";
import { leafName } from "../../src/anchor/store.ts";
import { anchorStoreAt } from "../../src/log/anchor-store.ts";
import { logSourcesAt } from "../../src/log/location.ts";
import { KnownHeads } from "../../src/storage/s3/known-heads.ts";
import { appendCommits, S3Log } from "../support/s3-log.ts";
import { anchorer } from "./anchored-log.ts";

describe.skipIf(isLeftOut("moto"))("An anchor log in a bucket", { timeout: 120_000 }, () => {
  let server: S3Server;

  beforeAll(async () => {
    server = await s3Server("moto");
  }, 120_000);

  it("is made once a leaf, and notices that the newest objects of a log were removed", async () => {
    const log = await S3Log.make(server);
    const s3 = { client: log.client };
    const location = `s3://${log.bucket}/anchors-${randomUUID()}/`;
    const store = await anchorStoreAt(location, { s3 });
    let state = await beginAnchor(store, anchorer);
    await expect(beginAnchor(store, anchorer)).rejects.toMatchObject({
      code: "AUDIT_ANCHOR_REFUSED",
    });
    const anchor = await AnchorLog.read(store, anchorer.vkey);
    const other = await AnchorLog.read(store, anchorer.vkey);
    const options = {
      sources: () => logSourcesAt(`s3://${log.bucket}/${log.prefix}`, { s3 }),
      trustedKeys: [log.signer.vkey],
      signer: anchorer,
    };

    const storage = log.storage();
    const entries = await appendCommits(storage, [1, 1, 1]);
    const run = await runAnchor(anchor, state, options);
    state = run.state;
    expect(run.result).toMatchObject({ exitCode: 0, anchored: 1, leftOut: [] });
    expect(await store.create(leafName(1), Buffer.from("another leaf"))).toBe(false);
    const late = await runAnchor(other, state, options);
    expect(late.result).toMatchObject({ exitCode: 0, size: 3 });

    const anchors = [{ location, vkey: anchorer.vkey }];
    const before = await log.verify({ anchors });
    expect(before.verdict).toContain("0 entries later");
    expect(before.exitCode).toBe(0);

    const newest = entries.at(-1)?.id ?? "";
    await log.remove((await log.keys()).find((key) => key.endsWith(`/${newest}.json`)) ?? "");
    const after = await log.verify({ anchors });
    expect(after.exitCode).toBe(1);
    expect(
      after.files.flatMap(({ problems }) => problems.map(({ message }) => message)).join(),
    ).toMatch(/the anchor of \S+Z records \d+ leaves; \d+ are there/);
    await storage.close();
  });

  it("costs a later run a listing and what is new, however many objects there are", async () => {
    const log = await S3Log.make(server);
    const s3 = { client: log.client };
    const asked: string[] = [];
    log.client.middlewareStack.add(
      (next, { commandName = "" }) =>
        async (args) => {
          const { Key } = args.input as { readonly Key?: string };
          asked.push(`${commandName.replace("ObjectCommand", "")} ${Key?.split("/").at(-1) ?? ""}`);
          return next(args);
        },
      { step: "initialize" },
    );
    const heads = new KnownHeads();
    const anchorLocation = `s3://${log.bucket}/anchors-${randomUUID()}/`;
    const store = await anchorStoreAt(anchorLocation, { s3 });
    let state = await beginAnchor(store, anchorer);
    const anchor = await AnchorLog.read(store, anchorer.vkey);
    const run = async (): Promise<AnchorRunResult> => {
      asked.length = 0;
      const sources = () => logSourcesAt(`s3://${log.bucket}/${log.prefix}`, { s3, heads });
      const options = { sources, trustedKeys: [log.signer.vkey], signer: anchorer };
      const done = await runAnchor(anchor, state, options);
      state = done.state;
      return done.result;
    };
    const headsAsked = (): string[] => asked.filter((one) => one.startsWith("Head "));
    const read = (): string[] =>
      asked.filter((one) => /^Get .*\.json$/.test(one) && !one.includes("leaf"));

    const storage = log.storage();
    const entries = await appendCommits(
      storage,
      Array.from({ length: 30 }, () => 1),
    );
    expect(await run()).toMatchObject({ exitCode: 0, anchored: 1, leftOut: [] });
    expect(headsAsked()).toHaveLength(30);
    const [more] = await appendCommits(storage, [1]);
    expect(await run()).toMatchObject({ exitCode: 0, anchored: 1, leftOut: [] });
    expect(headsAsked()).toEqual([`Head ${more?.id}.json`]);
    expect(read()).toContain(`Get ${more?.id}.json`);
    expect(read().length).toBeLessThan(20); // the first line, read ahead
    expect(await run()).toMatchObject({ exitCode: 0, anchored: 0, leftOut: [] });
    expect(headsAsked()).toEqual([]);
    expect(read()).toEqual([]);

    // A new object with wrong metadata is named.
    const [moved] = await appendCommits(storage, [1]);
    const keys = await log.keys();
    const keyOf = (id = ""): string => keys.find((key) => key.endsWith(`/${id}.json`)) ?? "";
    const original = await log.read(keyOf(moved?.id));
    await log.write(keyOf(moved?.id), original.body, {
      ...original.metadata,
      "audit-previous": keyOf(entries[3]?.id),
    });
    expect(await run()).toMatchObject({ exitCode: 1, leftOut: [{ state: "TAMPERED" }] });
    await log.write(keyOf(moved?.id), original.body, original.metadata);
    expect(await run()).toMatchObject({ exitCode: 0, anchored: 1, leftOut: [] });

    const old = await log.read(keyOf(entries[3]?.id));
    await log.write(keyOf(entries[3]?.id), old.body.replace("{", "{ "), old.metadata);
    // What is anchored is the verifier's to judge. An object that was written again is asked for again.
    expect((await run()).exitCode).toBe(0);
    expect(headsAsked()).toEqual([`Head ${entries[3]?.id}.json`]);
    const anchors = [{ location: anchorLocation, vkey: anchorer.vkey }];
    expect(await log.verify({ anchors })).toMatchObject({ exitCode: 1 });
    await storage.close();
  });
});
