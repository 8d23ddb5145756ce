// The TypeScript blocks of pages that no other test runs pass the type check.
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { blocksOf } from "@ai-audit/test-support/documented-code";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PAGES = ["README.md", "docs/logger.md", "docs/deployment.md", "docs/s3.md", "docs/sql.md"];

/** Names that the text of a page introduces, or an earlier block. */
const GIVEN = `
declare const AuditLogger: typeof import("@ai-audit/core").AuditLogger;
type AuditLogger = import("@ai-audit/core").AuditLogger;
declare const AuditSql: typeof import("@ai-audit/core/sql").AuditSql;
declare const sql: import("@ai-audit/core/sql").AuditSql;
declare const S3Storage: typeof import("@ai-audit/core/s3").S3Storage;
declare const verifyLog: typeof import("@ai-audit/core").verifyLog;
declare const logger: import("@ai-audit/core").AuditLogger;
declare const server: import("node:http").Server;
declare const signer: import("@ai-audit/core").Signer;
declare const bucket: string;
declare const vkey: string;
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ai-audit-blocks-"));
  await symlink(join(root, "examples/node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "given.d.ts"), GIVEN);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("the blocks of pages about the logger, S3, SQL and deployment compile", async () => {
  const files = ["given.d.ts"];
  for (const page of PAGES)
    for (const [at, { code }] of (await blocksOf(join(root, page))).entries()) {
      const file = `${basename(page, ".md")}-${at + 1}.ts`;
      files.push(file);
      await writeFile(join(folder, file), `${code}\nexport {};\n`);
    }
  const compilerOptions = {
    target: "esnext",
    module: "nodenext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    customConditions: ["ai-audit-source"],
    allowImportingTsExtensions: true,
    typeRoots: [join(root, "node_modules/@types")],
    types: ["node"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  const said = await promisify(execFile)(join(root, "node_modules/.bin/tsc"), ["-p", folder]).then(
    () => "",
    (error: unknown) =>
      error instanceof Error && "stdout" in error ? String(error.stdout) : String(error),
  );
  expect(said).toBe("");
  expect(files.length).toBeGreaterThan(PAGES.length);
});
