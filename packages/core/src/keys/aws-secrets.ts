// Master keys from AWS Secrets Manager. Needs the package @aws-sdk/client-secrets-manager.
import type { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { AuditConfigError, AuditError, missingPeer, withClass } from "../errors.ts";
import type { KeyProvider } from "./key-provider.ts";
import { type Keys, parseKeys } from "./key-ring.ts";

/** The secret that holds the keys. */
export interface AwsSecretsKeysOptions {
  /** Name or ARN. */
  readonly secretId: string;
  /** @default a client with the SDK's own defaults: environment, profile, instance role */
  readonly client?: SecretsManagerClient;
}

/**
 * Keys in a secret of AWS Secrets Manager: its text is one key, or a ring as JSON
 * (`{"current":"v2","keys":{"v1":"…","v2":"…"}}`). One call (`GetSecretValue`) at start.
 *
 * To rotate, add a key to the ring: where the service replaces a bare key, older entries could not
 * be read. Rejects with `AuditConfigError`: `AUDIT_CONFIG_INVALID` when the package is missing or
 * the secret cannot be read, `AUDIT_KEY_INVALID` when it holds no keys.
 */
export function awsSecretsKeys(options: AwsSecretsKeysOptions): KeyProvider {
  return { load: async () => loadKeys(options) };
}

async function loadKeys({ secretId, client }: AwsSecretsKeysOptions): Promise<Keys> {
  const { GetSecretValueCommand, SecretsManagerClient } = await loadSdk();
  const service = client ?? new SecretsManagerClient({});
  try {
    const { SecretString } = await service.send(new GetSecretValueCommand({ SecretId: secretId }));
    return parseKeys(SecretString ?? "", `The secret ${secretId}`);
  } catch (cause) {
    if (AuditError.isInstance(cause)) throw cause;
    throw new AuditConfigError(`The secret ${secretId} cannot be read from AWS Secrets Manager`, {
      cause,
    });
  } finally {
    if (client === undefined) service.destroy();
  }
}

async function loadSdk(): Promise<typeof import("@aws-sdk/client-secrets-manager")> {
  try {
    return withClass(await import("@aws-sdk/client-secrets-manager"), "SecretsManagerClient");
  } catch (cause) {
    throw missingPeer("@aws-sdk/client-secrets-manager", cause);
  }
}
