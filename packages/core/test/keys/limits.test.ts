// AUDIT_SOAK=1 runs these with a million messages and guesses; otherwise with a few thousand.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { hashContent } from "../../src/format/content.ts";
import { EncryptionManager } from "../../src/keys/encryption.ts";
import { generateKey } from "../../src/keys/keys.ts";
import { times } from "@ai-audit/test-support/soak";

describe("nonces", () => {
  it(
    "never repeat under a key: four processes with the same master key, and even the same stream",
    { timeout: 300_000 },
    async () => {
      const script = fileURLToPath(new URL("print-nonces.ts", import.meta.url));
      const each = times(5000, 250_000);
      const key = generateKey();
      const seen = new Set<string>();
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          const child = spawn(process.execPath, [script, key, "same-stream", `${each}`], {
            stdio: ["ignore", "pipe", "inherit"],
          });
          const exit = once(child, "exit");
          for await (const line of createInterface({ input: child.stdout })) seen.add(line);
          expect(await exit).toEqual([0, null]);
        }),
      );
      expect(seen.size).toBe(4 * each);
    },
  );
});

describe("guessing at keyed hashes without the key", () => {
  it("gives no hit, where a plain hash is found at once", { timeout: 300_000 }, () => {
    const guesses = times(20_000, 1_000_000);
    const prompt = `my pin is ${guesses - 1}`;
    const writer = new EncryptionManager({ current: "v1", keys: { v1: generateKey() } });
    const kid = writer.kidFor("c3RyZWFt");
    const stored = writer.digest(prompt, kid);
    const plain = hashContent(prompt);
    const guesser = new EncryptionManager({ current: "v1", keys: { v1: generateKey() } });
    const [hits, plainHits] = [new Set<string>(), new Set<string>()];
    for (let n = 0; n < guesses; n += 1) {
      const guess = `my pin is ${n}`;
      const sha256 = hashContent(guess);
      if (sha256 === plain) plainHits.add(guess);
      if (stored === `hmac-sha256:${Buffer.from(sha256, "hex").toString("base64url")}`)
        hits.add(guess);
      if (guesser.matches(guess, stored, kid)) hits.add(guess);
    }
    expect([...plainHits]).toEqual([prompt]);
    expect([...hits]).toEqual([]);
    expect(writer.matches(prompt, stored, kid)).toBe(true);
  });
});
