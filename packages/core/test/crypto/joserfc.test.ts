import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { encryptionVectors } from "./vectors.ts";

const script = fileURLToPath(new URL("open_with_joserfc.py", import.meta.url));
const absent = spawnSync("python3", ["-c", "import joserfc"]).status !== 0;

describe.skipIf(absent && process.env["CI"] === undefined)(
  "Python's joserfc, which refuses unknown header parameters",
  () => {
    it("opens every vector with the derived content key", () => {
      const requests = encryptionVectors.contents.map(({ jwe, content_key: k, kid }) =>
        JSON.stringify({ jwe, key: { kty: "oct", alg: "A256GCM", kid, k } }),
      );
      const { status, stdout, stderr } = spawnSync("python3", [script], {
        input: requests.join("\n"),
        encoding: "utf8",
      });
      expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
      const opened = stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(opened).toEqual(
        encryptionVectors.contents.map(({ text, header }) => ({ text, header: JSON.parse(header) })),
      );
    });
  },
);
