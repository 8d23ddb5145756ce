// The packages as they will be published: packed, and served by a registry of this process.
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./run.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The packages that are published, in the order of their dependencies. */
export const PUBLISHED = [
  "core",
  "openai-wrapper",
  "anthropic",
  "langchain-callback",
  "ai-sdk",
  "mcp",
  "viewer",
  "cli",
] as const;

/** Builds the packages and packs them into a folder. */
export async function packAll(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await run("pnpm", ["run", "build"], { cwd: ROOT });
  for (const name of PUBLISHED)
    await run("pnpm", ["pack", "--pack-destination", folder], {
      cwd: join(ROOT, "packages", name),
    });
}

export interface Registry extends AsyncDisposable {
  readonly url: string;
}

/** A registry for the scope `@ai-audit`, with the packed packages and nothing else. */
export async function startRegistry(folder: string): Promise<Registry> {
  const packages = new Map<string, Packed>();
  for (const file of await readdir(folder)) {
    const manifest = await run("tar", ["-xzOf", file, "package/package.json"], { cwd: folder });
    const { name, version } = JSON.parse(manifest) as Manifest;
    packages.set(name, { file, manifest, version, tarball: await readFile(join(folder, file)) });
  }
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "").slice(1);
    const packed = packages.get(path);
    const tarball = [...packages.values()].find(({ file }) => file === path)?.tarball;
    if (packed) response.end(packument(path, url, packed));
    else if (tarball) response.end(tarball);
    else response.writeHead(404).end("{}");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

interface Packed {
  readonly file: string;
  readonly manifest: string;
  readonly version: string;
  readonly tarball: Buffer;
}

/**
 * A registry's answer about a package: one version, published long enough ago for any age limit.
 */
function packument(
  name: string,
  url: string,
  { file, manifest, version, tarball }: Packed,
): string {
  const dist = {
    tarball: `${url}/${file}`,
    integrity: `sha512-${createHash("sha512").update(tarball).digest("base64")}`,
    shasum: createHash("sha1").update(tarball).digest("hex"),
  };
  const published = "2026-01-01T00:00:00.000Z";
  return JSON.stringify({
    name,
    "dist-tags": { latest: version },
    time: { created: published, modified: published, [version]: published },
    versions: { [version]: { ...(JSON.parse(manifest) as Manifest), dist } },
  });
}
