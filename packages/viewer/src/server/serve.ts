// The server of `ai-audit view`: on loopback alone, GET alone, one session.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readFile } from "node:fs/promises";
import { AuditConfigError, AuditError } from "@ai-audit/core";
import { begin, RequestError, sendJson } from "./answers.ts";
import { Guard } from "./guard.ts";
import { type LogToView, OpenedLog } from "./opened-log.ts";
import { ROUTES } from "./routes.ts";

/** Options of `startViewer()`. */
export interface ViewerOptions {
  /** Port of 127.0.0.1. @default 0: any free one */
  readonly port?: number;
}

/** A running viewer. */
export interface Viewer {
  /** The address to open, with a token that works once. */
  readonly url: string;
  /** Resolves when the log was read and verified once; rejects with the reason it cannot be read. */
  readonly ready: Promise<void>;
  /** Ends the server and its connections. */
  close(): Promise<void>;
}

/**
 * Serves the pages of a log on 127.0.0.1. Nothing is written, except to `accessLog`.
 * @throws {AuditConfigError} `AUDIT_CONFIG_INVALID` when the port is taken, or the package has no
 * bundle
 */
export async function startViewer(
  log: LogToView,
  { port = 0 }: ViewerOptions = {},
): Promise<Viewer> {
  const assets = await loadAssets();
  const guard = new Guard();
  const server = createServer((request, response) => {
    void handle(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) => {
      reject(new AuditConfigError(`port ${port} of 127.0.0.1 cannot be used`, { cause }));
    });
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new TypeError("no port");
  guard.port = address.port;
  const opened = new OpenedLog(log);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      guard.check(request);
      const url = URL.parse(request.url ?? "/", "http://127.0.0.1");
      if (url === null) throw new RequestError(400, "this address cannot be read");
      await serve(url, request, response);
    } catch (error) {
      fail(error, response);
    }
  }

  async function serve(
    { pathname, searchParams: search }: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const token = search.get("token");
    if (pathname === "/" && token !== null && !guard.isKnown(request)) {
      const cookie = guard.exchange(token);
      if (cookie === undefined)
        throw new RequestError(401, "This address was used already. Start `ai-audit view` again.");
      begin(response, 303, "text/plain", { location: "/", "set-cookie": cookie });
      response.end();
      return;
    }
    if (!guard.isKnown(request))
      throw new RequestError(401, "Open the address that `ai-audit view` printed.");
    const asset = assets.get(pathname);
    if (asset !== undefined) {
      begin(response, 200, asset.type);
      response.end(asset.body);
      return;
    }
    const [, api, name = "", ...rest] = pathname.split("/");
    if (api !== "api") {
      begin(response, 200, "text/html; charset=utf-8");
      response.end(SHELL);
      return;
    }
    const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
    if (route === undefined) throw new RequestError(404, "There is no such page");
    const id = decodeId(rest.join("/"));
    await route({ log: opened, request, response, search, id });
  }

  const { port: actual } = address;
  return {
    url: `http://127.0.0.1:${actual}/?token=${guard.token ?? ""}`,
    ready: opened.ready,
    close: async () => {
      opened.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function decodeId(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new RequestError(400, "this id cannot be read", { cause });
  }
}

/** An error as an answer. Messages of others may hold paths or content: they stay here. */
function fail(error: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (error instanceof RequestError)
    return sendJson(response, { error: error.message }, error.status);
  const message = AuditError.isInstance(error) ? error.message : "The server made a mistake";
  sendJson(response, { error: message }, 503);
}

const SHELL = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>ai-audit</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<div id="app"></div>
<script type="module" src="/app.js"></script>
</body>
</html>
`;

interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect x="2" y="2" width="12" height="12" rx="3" fill="#17683f"/></svg>';

/** Style and script, as scripts/build.ts bundled them, and the icon. */
async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  return new Map([
    await readAsset("app.js", "text/javascript; charset=utf-8"),
    await readAsset("style.css", "text/css; charset=utf-8"),
    ["/icon.svg", { type: "image/svg+xml", body: Buffer.from(ICON) }],
  ]);
}

async function readAsset(name: string, type: string): Promise<[string, Asset]> {
  const path = new URL(`../../dist/browser/${name}`, import.meta.url);
  try {
    return [`/${name}`, { type, body: await readFile(path) }];
  } catch (cause) {
    throw new AuditConfigError(
      `@ai-audit/viewer has no bundle for the browser: run its build (${name})`,
      { cause },
    );
  }
}
