// Every block of docs/keys.md runs, as it stands, in a process of its own; one after the other, in
// one directory.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeKey, fingerprint, generateKey } from "../../src/keys/keys.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";
import { blocksOf, runBlock } from "@ai-audit/test-support/documented-code";

const here = fileURLToPath(new URL(".", import.meta.url));
const key = generateKey();
const blocks = await blocksOf(join(here, "../../../../docs/keys.md"));

const OPENED = /^What is it\? text\/plain; id=[0-9a-f-]{36}; field=input\n$/;

/** What the blocks print, in order. */
const OUTPUTS = [
  /^$/,
  /^v2 from before\n$/,
  new RegExp(`^${fingerprint(decodeKey(key, "the key"))}\n$`),
  /^v7\n$/,
  /^I live in Vaduz\.\nAUDIT_SUBJECT_ERASED\n$/,
  /^$/,
  OPENED,
  OPENED,
];

/** What Vault's key-value store, version 2, answers to who has the token. */
const vault = createServer(({ url, headers }, response) => {
  const isAllowed = url === "/v1/secret/data/audit" && headers["x-vault-token"] === "a-token";
  const ring = { current: "v7", keys: { v7: generateKey() } };
  response.writeHead(isAllowed ? 200 : 403, { "content-type": "application/json" });
  response.end(
    JSON.stringify(isAllowed ? { data: { data: ring, metadata: { version: 1 } } } : { errors: [] }),
  );
});

describe("docs/keys.md", () => {
  let directory: string;
  let env: Readonly<Record<string, string>>;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ai-audit-docs-"));
    await mkdir(join(directory, "secrets"));
    await writeFile(join(directory, "secrets/audit.key"), `${key}\n`, { mode: 0o600 });
    await new Promise<void>((listening) => {
      vault.listen(0, "127.0.0.1", listening);
    });
    const address = vault.address();
    const port = typeof address === "object" ? address?.port : undefined;
    env = {
      AUDIT_ENCRYPTION_KEY: key,
      VAULT_ADDR: `http://127.0.0.1:${port}`,
      VAULT_TOKEN: "a-token",
    };
  });

  afterAll(async () => {
    vault.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("has as many blocks as are checked here", () => {
    expect(blocks).toHaveLength(OUTPUTS.length);
  });

  it.for(blocks.map(({ language, code }, index) => ({ number: index + 1, language, code })))(
    "runs its block $number ($language)",
    async ({ number, language, code }, { skip }) => {
      skip(language === "python" && isLeftOut("joserfc"));
      const from = join(here, "../..");
      const { stdout, stderr } = await runBlock({ language, code }, { from, cwd: directory, env });
      expect(stderr).toBe("");
      expect(stdout).toMatch(OUTPUTS[number - 1] ?? "no output is known of this block");
    },
  );
});
