// Child process: does everything that is done with keys, then writes a snapshot of its heap. It is
// given its keys in the environment and in a file, and keeps what it is given as arguments.
import { writeHeapSnapshot } from "node:v8";
import { AuditLogger, EncryptionManager, FileKeyStore, fileKeys } from "../../src/index.ts";

const [directory = ""] = process.argv.slice(2);
const subjects = new FileKeyStore({ path: `${directory}/subjects` });
const loggers = [
  EncryptionManager.fromEnv(undefined, { subjects }),
  await EncryptionManager.fromProvider(fileKeys(`${directory}/ring.json`), { subjects }),
].map(
  (encryption, n) => new AuditLogger(`${directory}/log-${n}`, { encryption, storeContent: true }),
);
for (const logger of loggers) {
  await logger.log({ input: "nobody's", output: "o" });
  await logger.log({ input: "mine", output: "o", subject: "kept" });
  await logger.log({ input: "mine", output: "o", subject: "erased" });
}
await loggers[0]?.eraseSubject("erased", { actor: "dpo", reason: "asked" });
for (const logger of loggers) {
  const exported = await Array.fromAsync(logger.exportSubject("kept"));
  for (const { entry } of exported) logger.content(entry); // the last thing done before the snapshot
}
writeHeapSnapshot(`${directory}/heap`);
for (const logger of loggers) await logger.close(); // whatever the loggers hold was still held
