// Optional peer dependencies.
import { AuditConfigError } from "../errors.ts";

/**
 * What `load` imports. Rejects with `AuditConfigError` naming the package when it is not installed:
 * `await importPeer("@aws-sdk/client-kms", async () => import("@aws-sdk/client-kms"))`.
 */
export async function importPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new AuditConfigError(
      `The package ${name} is needed here and cannot be loaded: npm install ${name}`,
      {
        cause,
      },
    );
  }
}
