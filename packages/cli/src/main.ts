#!/usr/bin/env node
// The `ai-audit` command. The environment and the clock enter here and are passed down.
import { run } from "./run.ts";

process.exitCode = await run(process.argv.slice(2));
