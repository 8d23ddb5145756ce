import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

/**
 * Runs a script in a process of its own, in which optional packages are named when they are asked
 * for, or missing.
 */
async function run(script: string, peers: "named" | "missing"): Promise<string> {
  const hook =
    peers === "named"
      ? "console.log(specifier)"
      : "throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' })";
  const source = `
    import { registerHooks } from "node:module";
    registerHooks({ resolve(specifier, context, next) {
      if (/^@aws-sdk|^@duckdb/.test(specifier)) { ${hook}; }
      return next(specifier, context);
    } });
    ${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--input-type=module",
    "-e",
    source,
  ]);
  return stdout.trim();
}

function urlOf(file: string): string {
  return JSON.stringify(new URL(`../../../src/${file}`, import.meta.url).href);
}

describe("The SDK", { timeout: 30_000 }, () => {
  it("is not loaded with the package, nor with S3Storage before it is used, nor to verify a directory", async () => {
    const script = `
      const { verifyLog } = await import(${urlOf("index.ts")});
      const { S3Storage } = await import(${urlOf("storage/s3/index.ts")});
      await import(${urlOf("sql/index.ts")});
      new S3Storage({ bucket: "b", region: "us-east-1" });
      await verifyLog(${JSON.stringify(fileURLToPath(new URL("../../vectors", import.meta.url)))});`;
    expect(await run(script, "named")).toBe("");
  });

  it("is named when it is missing, with AUDIT_CONFIG_INVALID", async () => {
    const script = `
      const { S3Storage } = await import(${urlOf("storage/s3/index.ts")});
      const { AuditSql } = await import(${urlOf("sql/index.ts")});
      const storage = new S3Storage({ bucket: "b", region: "us-east-1" });
      for (const use of [storage.count({}), AuditSql.open({ paths: "." })]) {
        await use.catch(({ code, message }) => console.log(code, message));
      }`;
    expect((await run(script, "missing")).split("\n")).toEqual([
      "AUDIT_CONFIG_INVALID The package @aws-sdk/client-s3 is needed here and cannot be loaded: add it to your project",
      "AUDIT_CONFIG_INVALID The package @duckdb/node-api is needed here and cannot be loaded: add it to your project",
    ]);
  });
});
