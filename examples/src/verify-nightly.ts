// Verify the log and raise an alert unless it is proven. Run it every night, elsewhere than the writer.
import { createServer } from "node:http";
import { AuditLogger, FileStorage, Signer, verifyLog } from "@ai-audit/core";
import { once } from "node:events";

// A log, and a webhook that stands for your alerting.
const signer = await Signer.generate("acme");
const logger = new AuditLogger(new FileStorage({ path: "./audit-logs/nightly", signer }));
await logger.log({ input: "Hello!", output: "Hi.", outcome: "ok" });
await logger.close();
const webhook = createServer((request, response) => {
  request.setEncoding("utf8").on("data", (text: string) => console.log("ALERT:", text));
  request.on("end", () => response.end());
}).listen(0, "127.0.0.1");
await once(webhook, "listening");
const address = webhook.address();
const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;

async function nightly(trustedKeys: readonly string[]): Promise<void> {
  const { exitCode, verdict } = await verifyLog("./audit-logs/nightly", { trustedKeys });
  if (exitCode === 0) console.log("proven:", verdict);
  else await fetch(url, { method: "POST", body: verdict });
}
await nightly([signer.vkey]);
await nightly([(await Signer.generate("somebody-else")).vkey]); // not the key that sealed it
webhook.close();
