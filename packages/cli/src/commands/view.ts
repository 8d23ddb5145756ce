// ai-audit view: the log in a browser, from a server on this machine alone.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { AuditLogger, FileStorage } from "@ai-audit/core";
import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultActor, findSigner } from "../keeping/writing.ts";
import { addLocationArgument } from "../log/location.ts";
import { openLog } from "../log/open-log.ts";
import { s3Connection } from "../log/storage.ts";
import { loadViewer } from "../viewer.ts";
import type { Session } from "../session.ts";
import { loadEncryption } from "../settings/keys.ts";
import type { Settings } from "../settings/settings.ts";
import { findTrust } from "../verifying/trust.ts";
import {
  addVerificationOptions,
  anchorsOf,
  type VerificationFlags,
  verifyLocation,
} from "../verifying/verification.ts";

interface ViewFlags extends VerificationFlags {
  readonly port: number;
  readonly open?: true;
  readonly decrypt?: true;
  readonly accessLog?: string;
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  addVerificationOptions(addLocationArgument(command))
    .description(
      "Serves the log as pages for a browser on this machine: verdict, overview, search, entries, conversations, runs, " +
        "reviews, persons. Only 127.0.0.1 is served, and only a browser that opened the printed address, which works " +
        "once. Nothing is written, except to --access-log.",
    )
    .addOption(
      new Option("--port <port>", "port of 127.0.0.1")
        .default(0, "any free port")
        .argParser(parsePort),
    )
    .option("--open", "open the address in the browser")
    .option("-d, --decrypt", "open encrypted content on demand, with AUDIT_ENCRYPTION_KEY")
    .option(
      "--access-log <directory>",
      "a log that records each reveal of content and each search in content, sealed with AUDIT_SIGNING_KEY",
    )
    .action((location: string | undefined, flags: ViewFlags) => view(location, flags, session));
}

function parsePort(text: string): number {
  const port = Number(text);
  if (text !== "" && Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a port: 0 to 65535.");
}

async function view(given: string | undefined, flags: ViewFlags, session: Session): Promise<void> {
  const { storage, settings, location } = await openLog(given, session);
  const { startViewer } = await loadViewer();
  const trust = findTrust(flags.trust, settings, location);
  const encryption = flags.decrypt ? await loadEncryption(settings) : undefined;
  const accessLog =
    flags.accessLog === undefined ? undefined : openAccessLog(flags.accessLog, settings);
  const quiet = { ...session, showsProgress: false };
  const viewer = await startViewer(
    {
      location,
      storage,
      s3: s3Connection(settings),
      trustedKeys: trust.keys,
      anchors: anchorsOf(flags),
      verify: async () => (await verifyLocation(location, flags, quiet)).result,
      encryption,
      accessLog,
      viewer: { id: defaultActor(), kind: "user" },
    },
    { port: flags.port },
  );
  try {
    await (flags.json
      ? session.out.json({ url: viewer.url, location })
      : session.out.line(viewer.url));
    await session.out.flush();
    if (!flags.json) {
      await session.log.line("the address works once, in one browser; Ctrl-C ends");
      await session.log.flush();
    }
    if (flags.open) openBrowser(viewer.url);
    await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), failed(viewer.ready)]);
  } finally {
    await viewer.close();
    await accessLog?.close();
  }
}

/** Rejects when the log cannot be read. */
async function failed(ready: Promise<void>): Promise<never> {
  await ready;
  return new Promise(() => undefined);
}

/** The log of accesses. */
function openAccessLog(path: string, settings: Settings): AuditLogger {
  const signer = findSigner(settings);
  const storage = new FileStorage({ path: resolve(path), ...(signer && { signer }) });
  return new AuditLogger(storage);
}

/** Opens an address with the system's own program. */
function openBrowser(url: string): void {
  const own: Readonly<Partial<Record<string, string>>> = { darwin: "open", win32: "explorer" };
  const program = own[process.platform] ?? "xdg-open";
  const child = spawn(program, [url], { stdio: "ignore", detached: true });
  child.on("error", () => undefined); // the address is on the terminal
  child.unref();
}
