// A server that gives one answer of the corpus, whatever it is asked.
import { createServer } from "node:http";
import type { CorpusCase, Pinned } from "./corpus.ts";

/** Serves one case; with `/v1`. */
export async function startCorpusServer({
  status = 200,
  body,
  events,
}: CorpusCase): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const isStream = events !== undefined;
      const type = isStream ? "text/event-stream" : "application/json";
      response.writeHead(status, { "content-type": type });
      response.end(isStream ? eventStream(events) : JSON.stringify(body));
    });
  });
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

function eventStream(events: readonly unknown[]): string {
  const lines = events.map((event) => {
    const type =
      typeof event === "object" && event !== null && "type" in event
        ? `event: ${String(event.type)}\n`
        : "";
    return `${type}data: ${JSON.stringify(event)}\n\n`;
  });
  return `${lines.join("")}data: [DONE]\n\n`;
}

/** The members of an entry that say something; times, ids of the log and hashes are left out. */
export function pinned(entry: object): Pinned {
  return Object.fromEntries(
    PINNED.flatMap((name) => {
      const value = untimed(Reflect.get(entry, name));
      const isSaid =
        value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
      return isSaid && JSON.stringify(value) !== "{}" ? [[name, value] as const] : [];
    }),
  );
}

/** JSON without times, which differ from run to run. */
function untimed(value: unknown): unknown {
  if (value === undefined) return undefined;
  return JSON.parse(
    JSON.stringify(value, (name, member: unknown) =>
      name === "time_to_first_event_ms" ? undefined : member,
    ),
  );
}

const PINNED = [
  "outcome",
  "output",
  "finishReasons",
  "safetyPassed",
  "detectorsTriggered",
  "safetyChecks",
  "blockReason",
  "error",
  "diagnostics",
  "alerts",
  "inputTokens",
  "outputTokens",
  "usage",
  "responseId",
  "responseModel",
  "metadata",
];
