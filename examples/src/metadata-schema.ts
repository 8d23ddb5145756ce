// Metadata with a schema: every entry names tenant and feature, or it is refused.
import { AuditError, AuditLogger } from "@ai-audit/core";
import { z } from "zod";

const metadataSchema = z.object({
  tenant: z.string(),
  feature: z.enum(["chat", "search"]),
  prompt_version: z.number().int().optional(),
});
const logger = new AuditLogger("./audit-logs/schema", { metadataSchema });

const call = { input: "Hello!", output: "Hi.", outcome: "ok" } as const;
const id = await logger.log({ ...call, metadata: { tenant: "acme", feature: "chat" } });
console.log((await logger.getEntry(id))?.metadata);

try {
  // @ts-expect-error: the compiler knows the schema, too
  await logger.log({ ...call, metadata: { tenant: "acme", feature: "chess" } });
} catch (error) {
  if (AuditError.isInstance(error)) console.log(error.code, "-", error.message);
}
await logger.close();
