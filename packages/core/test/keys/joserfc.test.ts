import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { encryptionVectors } from "./vectors.ts";

const script = fileURLToPath(new URL("open_with_joserfc.py", import.meta.url));

interface Opened {
  readonly text: string;
  readonly header: Record<string, string>;
}

function openInPython(
  requests: readonly { readonly jwe: string; readonly key: object }[],
): readonly Opened[] {
  const input = requests.map((request) => JSON.stringify(request)).join("\n");
  const { status, stdout, stderr } = spawnSync("python3", [script], { input, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  return stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe.skipIf(isLeftOut("joserfc"))(
  "Python's joserfc, which refuses unknown header parameters",
  () => {
    it("opens every vector with the derived content key", () => {
      const requests = encryptionVectors.contents.map(({ jwe, content_key: k, kid }) => ({
        jwe,
        key: { kty: "oct", alg: "A256GCM", kid, k },
      }));
      const expected = encryptionVectors.contents.map(({ text, header }) => ({
        text,
        header: JSON.parse(header),
      }));
      expect(openInPython(requests)).toEqual(expected);
    });

    it("opens what a manager wrote with the key that it exported", () => {
      const manager = new EncryptionManager();
      const kid = manager.kidFor("c3RyZWFt");
      const jwe = manager.encryptContent(
        { text: '["naïve 🚀"]', format: "json" },
        { kid, id: "an-entry", field: "output" },
      );
      expect(openInPython([{ jwe, key: manager.exportKey(kid) }])).toEqual([
        {
          text: '["naïve 🚀"]',
          header: {
            alg: "dir",
            enc: "A256GCM",
            kid,
            cty: "application/json; id=an-entry; field=output",
          },
        },
      ]);
    });
  },
);
