// Look for personal data without a client, and remove it before anything is hashed or kept.
import { AuditLogger, patternDetector, PERSONAL_DATA_PATTERNS } from "@ai-audit/core";

const personal = patternDetector({
  name: "personal-data",
  action: "flag",
  patterns: PERSONAL_DATA_PATTERNS,
});
const logger = new AuditLogger("./audit-logs/redacted", {
  storeContent: true,
  redact: {
    paths: ["user.email", "**.ssn"], // in metadata
    fn: (field, value) =>
      field === "input" && typeof value === "string"
        ? value.replaceAll(/\S+@\S+\.\w+/g, "[EMAIL]")
        : value,
  },
});

const input = "Write to ann@example.com about her order.";
const finding = await personal.checkInput?.(input, {});
console.log("found:", finding);
const id = await logger.log({
  input,
  output: "Done.",
  safetyPassed: finding === undefined,
  safetyChecks: [personal.name],
  detectorsTriggered: finding === undefined ? [] : [personal.name],
  metadata: { user: { id: "u-17", email: "ann@example.com" }, form: { ssn: "078-05-1120" } },
});
const entry = await logger.getEntry(id);
console.log(entry?.inputContent);
console.log(JSON.stringify(entry?.metadata));
await logger.close();
