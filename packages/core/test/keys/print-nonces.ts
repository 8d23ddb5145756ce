// Child process: seals so many messages and prints kid and nonce of each, one a line.
import { EncryptionManager } from "../../src/keys/encryption.ts";

const [key = "", stream = "", count = "0"] = process.argv.slice(2);
const manager = new EncryptionManager(key);
for (let done = 0; done < Number(count); done += 1000) {
  const kid = manager.kidFor(stream);
  const batch = Array.from({ length: 1000 }, (_, n) =>
    manager.encryptContent(
      { text: "x", format: undefined },
      { kid, id: `${done + n}`, field: "input" },
    ),
  );
  process.stdout.write(batch.map((jwe) => `${kid} ${jwe.split(".")[2]}\n`).join(""));
}
