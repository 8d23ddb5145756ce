// A viewer of a log, and a session with it.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { FileStorage } from "@ai-audit/core";
import { verifyLog } from "@ai-audit/core/verify";
import type { ViewerState } from "../../src/data/rows.ts";
import type { LogToView } from "../../src/server/opened-log.ts";
import { startViewer } from "../../src/server/serve.ts";
import type { BusyLog } from "./busy-log.ts";

/** Bundles the browser's part from its sources. */
export async function buildBundle(): Promise<void> {
  execFileSync(process.execPath, [
    fileURLToPath(new URL("../../scripts/build.ts", import.meta.url)),
  ]);
}

/** A log to look at. */
type ViewedLog = Pick<BusyLog, "directory" | "vkey" | "end"> & Partial<Pick<BusyLog, "encryption">>;

/** A viewer with a session. */
export interface OpenViewer {
  readonly base: string;
  /** The address that is printed; its token is used. */
  readonly url: string;
  readonly token: string;
  readonly cookie: string;
  readonly fetch: (path: string) => Promise<Response>;
  readonly get: <T>(path: string) => Promise<T>;
  readonly text: (path: string) => Promise<string>;
  readonly events: () => AsyncGenerator<ViewerState>;
  readonly close: () => Promise<void>;
}

/** Starts a viewer of a log, without a session. */
export async function startedViewer(
  { directory, vkey, encryption, end }: ViewedLog,
  more: Partial<LogToView> = {},
): ReturnType<typeof startViewer> {
  return startViewer({
    location: directory,
    storage: new FileStorage({ path: directory }),
    trustedKeys: [vkey],
    verify: () => verifyLog(directory, { trustedKeys: [vkey], now: new Date(end) }),
    encryption,
    now: () => new Date(end),
    ...more,
  });
}

/** Starts a viewer, and exchanges its token. */
export async function openViewer(
  log: ViewedLog,
  more: Partial<LogToView> = {},
): Promise<OpenViewer> {
  const viewer = await startedViewer(log, more);
  await viewer.ready;
  const { origin: base, searchParams } = new URL(viewer.url);
  const answer = await fetch(viewer.url, { redirect: "manual" });
  const cookie = (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const ask = async (path: string): Promise<Response> =>
    fetch(`${base}/api/${path}`, { headers: { cookie } });
  return {
    base,
    url: viewer.url,
    token: searchParams.get("token") ?? "",
    cookie,
    fetch: ask,
    get: async (path) => JSON.parse(await (await ask(path)).text()),
    text: async (path) => (await ask(path)).text(),
    async *events() {
      const { body } = await ask("events");
      let rest = "";
      for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        const parts = (rest + chunk).split("\n\n");
        rest = parts.pop() ?? "";
        for (const part of parts) yield JSON.parse(part.replace(/^data: /, ""));
      }
    },
    close: () => viewer.close(),
  };
}
