// node scripts/test-summary.mjs <failed steps> <report.json>...: adds up vitest's JSON reports and prints, as the last
// line of CI, `N passed, N failed, N skipped`, and before it what failed. A failed step beside the tests, and a run
// without a report, is one failure.
import { existsSync, readFileSync } from "node:fs";

const [failedSteps = "0", ...reports] = process.argv.slice(2);
let passed = 0;
let failed = Number(failedSteps);
let skipped = 0;
for (const path of reports) {
  if (!existsSync(path)) {
    console.error(`${path} is missing: that run did not end`);
    failed += 1;
    continue;
  }
  const report = JSON.parse(readFileSync(path, "utf8"));
  passed += report.numPassedTests;
  // A file that cannot be loaded fails without a failed test.
  failed += report.success ? 0 : Math.max(1, report.numFailedTests);
  skipped += report.numPendingTests + report.numTodoTests;
  for (const { name, status, message, assertionResults } of report.testResults) {
    const tests = assertionResults.filter((test) => test.status === "failed");
    for (const { fullName, failureMessages } of tests)
      console.log(`failed: ${path}: ${fullName}\n  ${firstLines(failureMessages.join("\n"))}`);
    if (status === "failed" && tests.length === 0)
      console.log(`failed: ${path}: ${name}\n  ${firstLines(message ?? "")}`);
  }
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 ? 1 : 0;

function firstLines(text) {
  return text.split("\n").slice(0, 6).join("\n  ");
}
