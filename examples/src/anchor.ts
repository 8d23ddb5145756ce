// An anchor log, kept where the log's owner cannot write, shows what the log itself cannot: history
// that the holder of the signing key wrote anew.
import { rm } from "node:fs/promises";
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import {
  AnchorLog,
  anchorStoreAt,
  beginAnchor,
  logSourcesAt,
  runAnchor,
} from "@ai-audit/core/anchor";

const path = "./audit-logs/anchored";
const signer = await Signer.generate("acme"); // the log's key
async function write(output: string): Promise<void> {
  const logger = new AuditLogger(new FileStorage({ path, signer }));
  await logger.log({ input: "May we lend 950 EUR?", output, outcome: "ok" });
  await logger.close();
}
await write("No.");

// On another machine, with a key of its own: one run. The command does it every minute.
const anchorer = await Signer.generate("example.com/acme/anchor");
const location = "./audit-logs/anchor";
const store = await anchorStoreAt(location);
const state = await beginAnchor(store, anchorer);
const trustedKeys = [signer.vkey];
const sources = () => logSourcesAt(path);
const log = await AnchorLog.read(store, anchorer.vkey);
const { result } = await runAnchor(log, state, { sources, trustedKeys, signer: anchorer });
console.log(result.anchored, "segment anchored");

// The owner removes the log, and writes another one with the same key.
await rm(path, { recursive: true });
await write("Yes.");
const alone = await verifyLog(path, { trustedKeys });
console.log("the log alone:  ", alone.exitCode, alone.verdict.split(";")[0]);

const anchors = [{ location, vkey: anchorer.vkey }];
const anchored = await verifyLog(path, { trustedKeys, anchors });
console.log("with the anchor:", anchored.exitCode, anchored.verdict.split(";")[0]);
