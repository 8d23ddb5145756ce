// A log of days long gone.
import { FileStorage, Signer } from "@ai-audit/core";
import { entryToLine } from "@ai-audit/core/format";

/** The id of an entry at a time. */
export function oldId(timestamp: string): string {
  const hex = Date.parse(timestamp).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/**
 * Writes one entry at noon of each day (`2024-01-31`), signed where there is a key (PKCS#8 PEM).
 */
export async function writeOldLog(
  directory: string,
  days: readonly string[],
  signingKey?: string,
  keyName = "example.com/audit",
): Promise<void> {
  const signer = signingKey === undefined ? undefined : Signer.fromPem(keyName, signingKey);
  const storage = new FileStorage({ path: directory, ...(signer && { signer }) });
  for (const day of days) {
    const timestamp = `${day}T12:00:00.000Z`;
    const id = oldId(timestamp);
    const fields = {
      inputHash: "0".repeat(64),
      outputHash: "0".repeat(64),
      conversationId: `of ${day}`,
    };
    await storage.append(entryToLine({ id, timestamp, ...fields }), id);
  }
  await storage.close();
}
