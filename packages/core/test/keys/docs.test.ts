// Every block of docs/keys.md runs, as it stands, in a process of its own; one after the other, in one directory.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeKey, fingerprint, generateKey } from "../../src/keys/keys.ts";
import { isLeftOut } from "@ai-audit/test-support/dependencies";

const run = promisify(execFile);
const here = fileURLToPath(new URL(".", import.meta.url));
const key = generateKey();
const text = await readFile(join(here, "../../../../docs/keys.md"), "utf8");
const blocks = [...text.matchAll(/```(ts|python)\n([\s\S]*?)```/g)].map(
  ([, language = "", code = ""]) => ({
    language,
    code,
  }),
);

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
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "ai-audit-docs-"));
    await mkdir(join(directory, "secrets"));
    await writeFile(join(directory, "secrets/audit.key"), `${key}\n`, { mode: 0o600 });
    await new Promise<void>((listening) => {
      vault.listen(0, "127.0.0.1", listening);
    });
    const address = vault.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const settings = {
      AUDIT_ENCRYPTION_KEY: key,
      VAULT_ADDR: `http://127.0.0.1:${port}`,
      VAULT_TOKEN: "a-token",
    };
    env = { ...process.env, ...settings };
  });

  afterAll(async () => {
    vault.close();
    await rm(directory, { recursive: true, force: true });
  });

  it("has as many blocks as are checked here", () => {
    expect(blocks).toHaveLength(OUTPUTS.length);
  });

  for (const [index, { language, code }] of blocks.entries()) {
    const isPython = language === "python";
    it.skipIf(isPython && isLeftOut("joserfc"))(
      `runs its block ${index + 1} (${language})`,
      async () => {
        const name = `block-${process.pid}-${index}.${isPython ? "py" : "ts"}`;
        const file = join(here, name); // here: the packages are found from here
        try {
          await writeFile(file, code);
          const [program, args] = isPython
            ? ["python3", []]
            : [process.execPath, ["--conditions=ai-audit-source"]];
          const { stdout, stderr } = await run(program, [...args, file], { cwd: directory, env });
          expect(stderr).toBe("");
          expect(stdout).toMatch(OUTPUTS[index] ?? "no output is known of this block");
        } finally {
          await rm(file, { force: true });
        }
      },
    );
  }
});
