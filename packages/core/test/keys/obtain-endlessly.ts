// Child process: makes one subject's key after the other, and prints name and id of each once it is
// durable.
import { FileKeyStore } from "../../src/keys/file-key-store.ts";

const [path = "", run = ""] = process.argv.slice(2);
const store = new FileKeyStore({ path });
for (let n = 0; ; n += 1) {
  const name = `${run}-${n}`;
  console.log(`${name} ${(await store.obtain([name])).id}`);
}
