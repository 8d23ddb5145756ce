// The server of `ai-audit view`: who may ask, what it answers, and that it writes nothing.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { figureFactsOf, groupingOf, Statistics } from "@ai-audit/core/reading";
import { lineToEntry } from "@ai-audit/core/format";
import { verifyLog } from "@ai-audit/core/verify";
import { sharedDirectory } from "@ai-audit/test-support/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ComparedField } from "../src/data/compare.ts";
import type { EntryPage, Overview, PersonView, ReviewsView, RunView } from "../src/data/rows.ts";
import { type BusyLog, writeBusyLog } from "./support/busy-log.ts";
import { buildBundle, type OpenViewer, openViewer } from "./support/viewer.ts";

let log: BusyLog;
let viewer: OpenViewer;
let place: string;

beforeAll(async () => {
  place = await sharedDirectory();
  log = await writeBusyLog(place, 400, 8);
  await buildBundle();
  viewer = await openViewer(log);
});
afterAll(() => viewer.close());

/** Status, headers and body of a raw request. */
async function ask(
  path: string,
  { method = "GET", headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }> {
  const { port } = new URL(viewer.base);
  return new Promise((resolve, reject) => {
    const asking = request(
      { host: "127.0.0.1", port, path, method, headers, agent: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        );
      },
    );
    asking.on("error", reject).end();
  });
}

async function get<T>(path: string): Promise<T> {
  const { status, body } = await ask(path, { headers: { cookie: viewer.cookie } });
  expect({ status, body }).toMatchObject({ status: 200 });
  return JSON.parse(body);
}

describe("a request to the viewer", () => {
  it("is refused without the session's cookie", async () => {
    for (const path of ["/", "/api/state", "/api/entries", "/app.js"])
      expect(await ask(path)).toMatchObject({ status: 401 });
  });

  it("is refused with the cookie of another server, and with a token that was used", async () => {
    const other = { cookie: viewer.cookie.replace(/=.*/, `=${"A".repeat(43)}`) };
    expect(await ask("/api/state", { headers: other })).toMatchObject({ status: 401 });
    expect(await ask(`/?token=${viewer.token}`)).toMatchObject({ status: 401 });
  });

  it.each(["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:80"])(
    "is refused for the host %s",
    async (host) => {
      const answer = await ask("/api/state", { headers: { host, cookie: viewer.cookie } });
      expect(answer).toMatchObject({ status: 421 });
    },
  );

  it.each([
    ["origin", "http://evil.example"],
    ["origin", "null"],
    ["sec-fetch-site", "cross-site"],
    ["sec-fetch-site", "same-site"],
  ])("is refused with %s %s", async (name, value) => {
    const answer = await ask("/api/state", { headers: { [name]: value, cookie: viewer.cookie } });
    expect(answer).toMatchObject({ status: 403 });
  });

  it.each(["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE"])(
    "is refused with the method %s",
    async (method) => {
      const answer = await ask("/api/state", { method, headers: { cookie: viewer.cookie } });
      expect(answer).toMatchObject({ status: 405 });
    },
  );

  it("gets a page that loads nothing from elsewhere and runs no inline script", async () => {
    const { status, headers, body } = await ask("/search", { headers: { cookie: viewer.cookie } });
    expect(status).toBe(200);
    expect(headers["content-security-policy"]).toContain("default-src 'none'; script-src 'self'");
    expect(headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
    });
    expect(body).not.toMatch(/<script>|https?:\/\/|style=/);
  });

  it("with a wrong parameter gets an error that names it", async () => {
    for (const [query, name] of [
      ["outcome=great", "outcome"],
      ["since=never", "since"],
      ["metadata=x", "metadata"],
      ["offset=-1", "offset"],
    ] as const) {
      const { status, body } = await ask(`/api/entries?${query}`, {
        headers: { cookie: viewer.cookie },
      });
      expect(status).toBe(400);
      expect(body).toContain(name);
    }
  });
});

describe("the figures of the viewer", () => {
  it("are those of `stats`, by every grouping", async () => {
    const overview = await get<Overview>("/api/overview");
    for (const by of ["model", "provider", "actor", "agent", "outcome"] as const) {
      const statistics = new Statistics();
      const groupOf = groupingOf(by);
      for await (const page of new FileStorage({ path: log.directory }).pages({}, "oldest-first"))
        for (const line of page) {
          const entry = lineToEntry(line);
          if (entry) statistics.add(groupOf?.(entry) ?? "", figureFactsOf(entry));
        }
      expect(overview.total).toEqual(statistics.total());
      expect(overview.by[by]).toEqual(
        statistics.groups().toSorted((a, b) => b.calls - a.calls || (a.group < b.group ? -1 : 1)),
      );
    }
  });

  it("name the hours of silence between busy ones", async () => {
    const { silences } = await get<Overview>("/api/overview");
    expect(silences.map(({ from }) => new Date(from).toISOString())).toContain(
      "2026-11-05T13:00:00.000Z",
    );
  });
});

describe("a view of the server", () => {
  it("lists entries newest first, a page at a time, and as CSV", async () => {
    const page = await get<EntryPage>("/api/entries?offset=10&limit=5");
    const all = await get<EntryPage>("/api/entries");
    expect(page.rows).toEqual(all.rows.slice(10, 15));
    const times = all.rows.map(({ timestamp }) => timestamp);
    expect(times).toEqual(times.toSorted().toReversed());
    const { headers, body } = await ask("/api/entries?format=csv", {
      headers: { cookie: viewer.cookie },
    });
    expect(headers["content-type"]).toContain("text/csv");
    expect(body.trimEnd().split("\r\n")).toHaveLength(all.total + 1);
  });

  it("finds the same entries as the conditions of `query`", async () => {
    const { rows, total } = await get<EntryPage>("/api/entries?blocked=1&actor=ada@bank.example");
    expect(total).toBeGreaterThan(0);
    for (const row of rows)
      expect(row).toMatchObject({ ended: "blocked", actor: "ada@bank.example" });
  });

  it("searches decrypted contents as a stream, and says how many were read", async () => {
    const { body } = await ask("/api/search?text=norway", { headers: { cookie: viewer.cookie } });
    const lines = body
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.filter(({ row }) => row !== undefined).length).toBeGreaterThan(10);
    const { total } = await get<EntryPage>("/api/entries");
    expect(lines.at(-1)).toMatchObject({ isDone: true, read: total });
  });

  it("shows a run as a tree, a review with its decision, and a person with the erasure", async () => {
    const { cases } = await get<ReviewsView>("/api/reviews");
    const decided = cases.find((one) => one.decided);
    expect(decided?.decisions[0]?.verdict).toBe("approved");
    const run = await get<RunView>(`/api/run/${decided?.request.root}`);
    expect(run.nodes.map(({ depth }) => depth)).toEqual([0, 1, 1, 1, 2]);
    const { erasures } = await verifyLog(log.directory, { trustedKeys: [log.vkey] });
    const person = await get<PersonView>(
      `/api/person/${encodeURIComponent(erasures[0]?.subject ?? "")}`,
    );
    expect(person.erasures[0]?.reason).toBe("request of 11 November");
  });

  it("lists the calls of tools in runs in which nobody decided anything", async () => {
    const tools = await get<EntryPage>("/api/entries?operation=execute_tool");
    const undecided = await get<EntryPage>("/api/entries?undecided=1");
    const { cases } = await get<ReviewsView>("/api/reviews");
    const roots = cases.flatMap((one) => (one.decided ? [one.request.root] : []));
    expect(roots).toHaveLength(1);
    const expected = tools.rows.filter(({ root }) => !roots.includes(root));
    expect(undecided.rows).toEqual(expected);
    expect(expected).toHaveLength(tools.rows.length - 1);
  });

  it("compares two entries: what differs first, what is each one's own last", async () => {
    const [a, b] = (await get<EntryPage>("/api/entries?blocked=1")).rows;
    const path = `/api/compare?a=${a?.id}&b=${b?.id}`;
    const { fields } = await get<{ fields: ComparedField[] }>(path);
    expect(fields.find(({ field }) => field === "outcome")).toEqual({
      field: "outcome",
      a: "blocked",
      b: "blocked",
      isEqual: true,
    });
    expect(fields[0]?.isEqual).toBe(false);
    expect(fields.map(({ field }) => field)).not.toContain("inputContent");
    expect(fields.slice(-6).map(({ field }) => field)).toContain("id");
    const { body } = await ask(`${path}&format=csv`, { headers: { cookie: viewer.cookie } });
    expect(body.split("\r\n")).toHaveLength(fields.length + 2);
  });

  it("gives contents apart from the entry, and a proof that stands alone", async () => {
    const { rows } = await get<EntryPage>("/api/entries?operation=chat&outcome=ok");
    const id = rows[0]?.id ?? "";
    const entry = await ask(`/api/entry/${id}`, { headers: { cookie: viewer.cookie } });
    expect(entry.body).not.toContain("eyJhbGciOiJkaXIi");
    expect(await get(`/api/content/${id}`)).toMatchObject({ input: { state: "open" } });
    expect(await get(`/api/proof/${id}`)).toMatchObject({ state: "proven" });
  });

  it("that does not exist is 404, and an unknown id names none of the log's paths", async () => {
    for (const path of [
      "/api/nothing",
      "/api/entry/00000000-0000-7000-8000-000000000000",
      "/api/toString",
    ]) {
      const { status, body } = await ask(path, { headers: { cookie: viewer.cookie } });
      expect(status).toBe(404);
      expect(body).not.toContain(place);
    }
  });
});

/** The log's files. */
function bytes(): Record<string, string> {
  const files = readdirSync(log.directory);
  return Object.fromEntries(
    files.map((file) => [file, readFileSync(join(log.directory, file), "latin1")]),
  );
}

describe("the viewer", () => {
  it("sends at most 60 kB of script and style, compressed", () => {
    const folder = new URL("../dist/browser/", import.meta.url);
    const sizes = ["app.js", "style.css"].map(
      (name) => gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length,
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(60_000);
  });

  it("writes nothing to the log", async () => {
    const before = bytes();
    for (const path of [
      "overview",
      "entries",
      "reviews",
      "people",
      "facts",
      "verdict?again=1",
      "files",
    ])
      await get(`/api/${path}`);
    expect(bytes()).toEqual(before);
  });

  it("records each reveal and each content search before it happens, if asked to", async () => {
    const accessPlace = join(place, "access");
    const access = new AuditLogger(new FileStorage({ path: accessPlace }));
    const recording = await openViewer(log, {
      accessLog: access,
      viewer: { id: "auditor", kind: "user" },
    });
    const { rows } = await recording.get<EntryPage>("entries?operation=chat&outcome=ok");
    await recording.get(`content/${rows[0]?.id}`);
    await recording.text("search?text=norway");
    await recording.get(`conversation/conv-1?reveal=1`);
    await recording.get(`conversation/conv-1`);
    await recording.close();
    const found = await Array.fromAsync(access.entries());
    await access.close();
    expect(found.map(({ metadata, actor }) => [metadata["event"], actor?.id])).toEqual([
      ["content revealed", "auditor"],
      ["content search", "auditor"],
      ["conversation revealed", "auditor"],
    ]);
    expect(JSON.stringify(found)).not.toContain("norway");
  });

  it("reveals nothing when the access cannot be recorded", async () => {
    const access = new AuditLogger(new FileStorage({ path: join(place, "closed") }));
    await access.close();
    const recording = await openViewer(log, { accessLog: access });
    const { rows } = await recording.get<EntryPage>("entries?operation=chat&outcome=ok");
    const answer = await recording.fetch(`content/${rows[0]?.id}`);
    expect(answer.status).toBe(503);
    expect(await answer.text()).not.toContain("messages");
    await recording.close();
  });

  it("shows entries that are logged while it runs", async () => {
    const directory = join(place, "live");
    const logger = new AuditLogger(new FileStorage({ path: directory }));
    await logger.log({ input: "a", output: "b" });
    const live = await openViewer({ ...log, directory }, { pollMs: 20 });
    const states = live.events();
    await logger.log({ input: "c", output: "d" });
    for await (const { entries } of states) if (entries === 2) break;
    const { total, rows } = await live.get<EntryPage>("entries");
    expect(total).toBe(2);
    expect(rows[0]).not.toHaveProperty("mark");
    expect(rows[0]?.isAsSealed).toBe(false); // newer than the verdict
    await logger.close();
    await live.close();
  });

  it("marks the entries of a file that was altered", async () => {
    const directory = join(place, "altered");
    const altered = await writeBusyLog(directory, 120, 3);
    const file = readdirSync(altered.directory).find((name) => name.endsWith(".jsonl")) ?? "";
    const path = join(altered.directory, file);
    writeFileSync(path, readFileSync(path, "utf8").replace('"outcome":"ok"', '"outcome":"no"'));
    const bad = await openViewer(altered);
    const { rows, total } = await bad.get<EntryPage>("entries?marked=1");
    expect(total).toBeGreaterThan(0);
    expect(rows.at(-1)?.mark).toMatchObject({ state: "TAMPERED", file });
    const all = (await bad.get<EntryPage>("entries")).rows;
    const ofFile = all.filter(({ timestamp }) =>
      file.includes(timestamp.slice(0, 10).replaceAll("-", "")),
    );
    expect(ofFile.length).toBeGreaterThan(total); // what follows the change was not checked
    expect(ofFile.filter(({ isAsSealed }) => isAsSealed)).toEqual([]);
    expect(all.some(({ isAsSealed }) => isAsSealed)).toBe(true);
    await bad.close();
  });
});
