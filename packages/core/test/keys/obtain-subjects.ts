// Child process: makes or finds the keys of the subjects 0 … n-1 and prints their ids and what it
// sealed.
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { FileKeyStore } from "../../src/keys/file-key-store.ts";

const [path = "", key = "", count = "0"] = process.argv.slice(2);
const manager = new EncryptionManager(key, { subjects: new FileKeyStore({ path }) });
const keys = await Promise.all(
  Array.from({ length: Number(count) }, async (_, n) => manager.subjectKey(`user-${n}`)),
);
const sealed = keys.map((subject, n) => {
  const kid = manager.kidFor("c3RyZWFt", subject);
  return manager.encryptContent(
    { text: `text ${n}`, format: undefined },
    { kid, id: `${n}`, field: "input" },
    subject,
  );
});
console.log(JSON.stringify({ ids: keys.map(({ id }) => id), sealed }));
