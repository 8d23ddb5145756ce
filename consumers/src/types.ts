// Type checks of a program as its own project would do them.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandFailed, run } from "./run.ts";

/** A way to type-check a program. */
export interface TypeCheck {
  /** The compiler's `tsc.js`. */
  readonly compiler: string;
  readonly module: "nodenext" | "node16" | "bundler" | "commonjs";
  readonly exactOptionalPropertyTypes: boolean;
  /** Files of the project. */
  readonly files: readonly string[];
}

/**
 * The compiler's errors in the program and in our packages' declarations: `skipLibCheck` is off.
 * Those in other packages' declarations are not counted, as they are there without us.
 */
export async function checkTypes(project: string, check: TypeCheck): Promise<readonly string[]> {
  const { compiler, module, exactOptionalPropertyTypes, files } = check;
  const config = join(project, `tsconfig.${module}.json`);
  const compilerOptions = {
    module: module === "bundler" ? "esnext" : module,
    ...(module === "bundler" && { moduleResolution: "bundler" }),
    ...(module === "commonjs" && { moduleResolution: "node10" }),
    target: "es2022",
    lib: ["es2023", "esnext.disposable", "dom", "dom.iterable"],
    types: ["node"],
    strict: true,
    skipLibCheck: false,
    exactOptionalPropertyTypes,
    noEmit: true,
  };
  await writeFile(config, JSON.stringify({ compilerOptions, files }));
  try {
    await run(process.execPath, [compiler, "-p", config], { cwd: project });
    return [];
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return error.message
      .split("\n")
      .filter((line) => /error TS/.test(line) && !/^node_modules\/(?!@ai-audit\/)/.test(line));
  }
}
