// The code blocks of a document, and a run of one as it stands.
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const PROGRAMS = {
  python: { extension: "py", command: "python3", words: [] },
  ts: { extension: "ts", command: process.execPath, words: ["--conditions=ai-audit-source"] },
} as const;

export interface Block {
  readonly language: keyof typeof PROGRAMS;
  readonly code: string;
}

/** The TypeScript and Python blocks of a Markdown file, in their order. */
export async function blocksOf(document: string): Promise<readonly Block[]> {
  const text = await readFile(document, "utf8");
  return [...text.matchAll(/```(ts|python)\n([\s\S]*?)```/g)].map(([, language, code = ""]) => ({
    language: language === "python" ? "python" : "ts",
    code,
  }));
}

export interface RunOptions {
  /** Folder of a package: the block finds the packages that a file there would find. */
  readonly from: string;
  /** Working directory of the process. @default a new one, removed afterwards */
  readonly cwd?: string;
  /** Variables beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a block in a process of its own and gives what it prints. Throws when it fails. */
export async function runBlock(
  { language, code }: Block,
  { from, cwd, env = {} }: RunOptions,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  // Outside of the source tree, where a half-written file would be compiled by who builds at that
  // moment.
  const folder = await mkdtemp(join(tmpdir(), "ai-audit-block-"));
  try {
    for (const [, name = ""] of code.matchAll(/\bfrom "((?:@[\w-]+\/)?[\w-]+)(?:\/[\w/.-]+)?"/g))
      await link(join(folder, "node_modules", name), packageFolder(name, from));
    const { extension, command, words } = PROGRAMS[language];
    const file = join(folder, `block.${extension}`);
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    await writeFile(file, code);
    const working = join(folder, "cwd");
    await mkdir(working);
    return await promisify(execFile)(command, [...words, file], {
      cwd: cwd ?? working,
      env: { ...process.env, ...env },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function link(path: string, target: string | undefined): Promise<void> {
  if (target === undefined || existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path);
}

/** Where a package lies for the files of a folder: in its node_modules, or the folder's own. */
function packageFolder(name: string, from: string): string | undefined {
  const own = join(from, "package.json");
  if (existsSync(own) && JSON.parse(readFileSync(own, "utf8")).name === name) return from;
  const installed = join(from, "node_modules", name);
  if (existsSync(installed)) return installed;
  return dirname(from) === from ? undefined : packageFolder(name, dirname(from));
}
