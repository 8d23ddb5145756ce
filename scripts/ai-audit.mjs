// npm run ai-audit: the command from its sources. npm runs a script where package.json is; the paths that are typed are
// meant from where they are typed.
import { chdir, env } from "node:process";

if (env.INIT_CWD) chdir(env.INIT_CWD);
await import("../packages/cli/src/main.ts");
