import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { EncryptionManager } from "../../src/keys/encryption.ts";

/**
 * What the original's `EncryptionManager.decrypt` and `encrypt` do, with the package they do it
 * with.
 */
const program = `
import base64, json, sys
from cryptography.fernet import Fernet
request = json.load(sys.stdin)
fernet = Fernet(request["key"])
opened = [fernet.decrypt(base64.urlsafe_b64decode(token)).decode() for token in request["tokens"]]
sealed = [base64.urlsafe_b64encode(fernet.encrypt(text.encode())).decode() for text in opened]
print(json.dumps({"opened": opened, "sealed": sealed}))
`;

describe.skipIf(isLeftOut("cryptography"))(
  "Python's Fernet and a manager with the same key",
  () => {
    it("open what the other one wrote", () => {
      const manager = new EncryptionManager();
      const texts = ["", "Hello!", "naïve 日本語 🚀\u2028", "x".repeat(5000)];
      const input = JSON.stringify({
        key: manager.getKey(),
        tokens: texts.map((text) => manager.encryptFernet(text)),
      });
      const { stdout, stderr } = spawnSync("python3", ["-c", program], { input, encoding: "utf8" });
      expect(stderr).toBe("");
      const { opened, sealed }: { opened: string[]; sealed: string[] } = JSON.parse(stdout);
      expect(opened).toEqual(texts);
      expect(sealed.map((token) => manager.decrypt(token))).toEqual(texts);
    });
  },
);
