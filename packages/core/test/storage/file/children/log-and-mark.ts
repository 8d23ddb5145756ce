// Writes five entries, one commit each, and is killed once its mark names the last: <directory>
// <mark> <PEM of the signer>
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { FileStorage, Signer } from "../../../../src/index.ts";
import { testEntry } from "../../../../src/testing.ts";

const [path = "", mark = "", pem = ""] = process.argv.slice(2);
const storage = new FileStorage({ path, mark, signer: Signer.fromPem("acme", pem) });
for (let count = 0; count < 5; count += 1) {
  const { line, id } = testEntry(Date.now());
  await storage.append(line, id);
}
for (;;) {
  const [name = ""] = await readdir(mark).catch(() => []);
  const text = await readFile(join(mark, name), "utf8").catch(() => "");
  if (text.includes('"size":6')) break;
  await sleep(20);
}
process.kill(process.pid, "SIGKILL");
