// Lists: no model calls, so no entries, and nothing about them differs.
import { describe, expect, it } from "vitest";
import { loadSdk, expectSameBehaviour, useWireServer, VERSIONS } from "./same-behaviour.ts";
import { json } from "@ai-audit/test-support/wire-server";

const page = (ids: readonly string[], more: boolean): object => ({
  object: "list",
  data: ids.map((id) => ({ id, object: "file" })),
  has_more: more,
  first_id: ids[0],
  last_id: ids.at(-1),
});

describe.each(VERSIONS)("lists of %s, audited", async (version) => {
  const sdk = await loadSdk(version);
  useWireServer();

  it("iterates over all pages", async () => {
    const { entries, outcome } = await expectSameBehaviour(
      sdk,
      [json(page(["a", "b"], true)), json(page(["c"], false))],
      async ({ client, note }) => {
        for await (const file of client.files.list({ limit: 2 })) note(file.id);
      },
    );
    expect(outcome.notes).toEqual([["a"], ["b"], ["c"]]);
    expect(outcome.wire.map(({ url }) => url)).toEqual([
      "/v1/files?limit=2",
      expect.stringContaining("after=b"),
    ]);
    expect(entries).toHaveLength(0);
  });

  it("gives one page, the next one, and the response", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json(page(["a", "b"], true)), json(page(["c"], false))],
      async ({ client, note }) => {
        const first = await client.files.list();
        note(first.constructor.name, first.data, first.hasNextPage(), first.getPaginatedItems());
        const second = await first.getNextPage();
        note(second.data, second.hasNextPage());
        const { data, response } = await client.files.list().withResponse();
        note(data.data, response.status, (await client.files.list().asResponse()).bodyUsed);
        for await (const one of first.iterPages()) note(one.data);
      },
    );
    expect(entries).toHaveLength(0);
  });

  it("throws the same errors", async () => {
    const { outcome } = await expectSameBehaviour(
      sdk,
      [json({ error: { message: "No." } }, 404)],
      ({ client }) => client.files.list().then(undefined),
    );
    expect(outcome.thrown).toBeInstanceOf(sdk.NotFoundError);
  });

  it("retrieves and downloads files unrecorded", async () => {
    const { entries } = await expectSameBehaviour(
      sdk,
      [json({ id: "a", object: "file" })],
      async ({ client, note }) => {
        note(await client.files.retrieve("a"));
        const download = await client.files.content("a");
        note(
          download instanceof Response,
          Object.getOwnPropertyNames(download).includes("text"),
          await download.text(),
        );
      },
    );
    expect(entries).toHaveLength(0);
  });
});
