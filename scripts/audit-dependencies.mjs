// node scripts/audit-dependencies.mjs: known vulnerabilities of what the packages depend on. Exits with 1 for one of high
// severity. A registry that has no audit service is reported, and is no failure.
import { spawnSync } from "node:child_process";

const words = ["audit", "--prod", "--audit-level=high", "--json"];
const { status, stdout, stderr, error } = spawnSync("pnpm", words, { encoding: "utf8" });
if (error) throw error;
const answer = `${stdout}${stderr}`;
if (status === 0) console.log("no known vulnerability of high severity");
else if (/"advisories"|"vulnerabilities"/.test(stdout)) {
  console.error(stdout);
  process.exitCode = 1;
} else {
  const [reason = "no answer"] = answer.trim().split("\n").filter(Boolean).slice(0, 1);
  console.log(`not audited: the registry has no audit service (${reason.slice(0, 200)})`);
}
