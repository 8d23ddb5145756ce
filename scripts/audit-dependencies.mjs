// node scripts/audit-dependencies.mjs: known vulnerabilities of what the packages depend on. Exits with 1 for one of high
// severity, and where nothing was audited for any other reason than a registry that has no audit service.
import { spawnSync } from "node:child_process";

const words = ["audit", "--prod", "--audit-level=high", "--json"];
const { status, stdout, stderr, error } = spawnSync("pnpm", words, { encoding: "utf8" });
if (error) throw error;
/** What registries answer that know no such request. */
const hasNoService = /ERR_PNPM_AUDIT_ENDPOINT_NOT_EXISTS|responded with (?:404|405|410|501)\b/;
const answer = `${stdout}\n${stderr}`.replaceAll(/[\s│×]+/g, " ").trim();
if (status === 0) console.log("no known vulnerability of high severity");
else if (hasNoService.test(answer))
  console.log(`NOT AUDITED: the registry has no audit service (${answer.slice(0, 200)})`);
else {
  console.error(stdout || stderr);
  process.exitCode = 1;
}
