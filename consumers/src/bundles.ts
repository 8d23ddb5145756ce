// Bundles a program with every package in it, and runs the bundle where nothing is installed.
import { spawn } from "node:child_process";
import { cp, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "./run.ts";

export interface Bundling {
  readonly bundler: "esbuild" | "rollup" | "webpack" | "vite";
  readonly minify?: boolean;
  /** The program to bundle. @default "bundle.mjs" */
  readonly program?: string;
}

/** The output of the bundled program. Rejects when it cannot be bundled, or fails. */
export async function runBundled(
  project: string,
  { bundler, minify = false, program = "bundle.mjs" }: Bundling,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = `${project}-${bundler}${minify ? "-minified" : ""}`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const build = [join("bundlers", `${bundler}.mjs`), program, folder];
  await run(process.execPath, minify ? [...build, "minify"] : build, {
    cwd: project,
    timeoutSeconds: 540,
  });
  const file = (await readdir(folder)).find((name) => /^program\.[cm]js$/.test(name));
  if (file === undefined) throw new Error(`${bundler} left no program in ${folder}`);
  return run(process.execPath, [file], { cwd: folder, env });
}

/** The answer of a built Next.js application's route. */
export async function runNext(
  project: string,
  compiler: "turbopack" | "webpack",
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const application = join(project, "next");
  await rm(join(application, ".next"), { recursive: true, force: true });
  await cp(join(project, "scenario.mjs"), join(application, "scenario.mjs"));
  const next = join(project, "node_modules", "next", "dist", "bin", "next");
  const settings = { ...env, NEXT_TELEMETRY_DISABLED: "1" };
  await run(process.execPath, [next, "build", `--${compiler}`], {
    cwd: application,
    env: settings,
    timeoutSeconds: 540,
  });
  const port = String(20_000 + (process.pid % 20_000));
  const server = spawn(process.execPath, [next, "start", "-p", port, "-H", "127.0.0.1"], {
    cwd: application,
    env: { ...process.env, ...settings },
    stdio: "ignore",
  });
  try {
    return await answerOf(`http://127.0.0.1:${port}/api/audit`);
  } finally {
    server.kill();
  }
}

async function answerOf(url: string): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    let response: Response;
    try {
      response = await fetch(url);
    } catch (error) {
      if (tries > 150) throw error;
      await sleep(200); // not listening yet
      continue;
    }
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return text;
  }
}
