import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import { EncryptionManager, fileKeys } from "@ai-audit/core";
import { describe, expect, it } from "vitest";
import { cli, printed, withAllKeys } from "../support/cli.ts";
import { sharedSample } from "../support/samples.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

describe("ai-audit keys", { timeout: 60_000 }, () => {
  it("a rotated key writes, and the older one still opens", async () => {
    const root = await temporaryDirectory();
    await printed(["init", root]);
    const file = join(root, "audit-keys/encryption.key");
    const before = new EncryptionManager(await fileKeys(file).load());
    const sealed = before.encrypt("before");

    const { code, stdout } = await cli(["keys", "rotate", "--json"], { cwd: root });

    const after = new EncryptionManager(await fileKeys(file).load());
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ current: after.keyId, file });
    expect(after.keyId).not.toBe(before.keyId);
    expect(after.decrypt(sealed)).toBe("before");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const listed = await cli(["keys", "list", "--json"], { cwd: root });
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { use: "encryption", id: before.keyId, note: "reads" },
      { use: "encryption", id: after.keyId, note: "writes and reads" },
      { use: "verification", note: "of the signing key" },
    ]);
  });

  it("a key in the environment is not rotated unless it may be printed", async () => {
    const env = { AUDIT_ENCRYPTION_KEY: "A".repeat(43) };
    expect(await printed(["keys", "rotate"], { env, code: 78 })).toMatchInlineSnapshot(`
      "--- stderr
      error: the key is in AUDIT_ENCRYPTION_KEY (the environment), which this command cannot change
        --print shows the new value, secrets included
      "
    `);
    const { stdout } = await cli(["keys", "rotate", "--print"], { env });
    const ring = JSON.parse(stdout) as { current: string; keys: Record<string, string> };
    expect(Object.values(ring.keys)).toContain("A".repeat(43));
    expect(Object.keys(ring.keys)).toContain(ring.current);
  });

  it("one content key is exported as a JSON Web Key", async () => {
    const sample = await sharedSample();
    const shown = await cli(["show", sample.ids[0] ?? "", sample.directory, "--json"]);
    const { kid } = JSON.parse(shown.stdout) as { kid: string };
    const { stdout } = await cli(["keys", "export", "--content", kid], {
      env: withAllKeys(sample),
    });
    expect(JSON.parse(stdout)).toMatchObject({
      kty: "oct",
      alg: "A256GCM",
      kid,
      k: expect.any(String) as unknown,
    });
  });

  it("a key file that others can read is refused", async () => {
    const root = await temporaryDirectory();
    await printed(["init", root]);
    await chmod(join(root, "audit-keys/encryption.key"), 0o644);
    const output = await printed(["keys", "list"], { cwd: root, code: 78 });
    expect(output.replaceAll(root, "ROOT")).toMatchInlineSnapshot(`
      "--- stderr
      error: The key file ROOT/audit-keys/encryption.key has mode 644: others than its owner may use it; make it 600
      "
    `);
  });
});
