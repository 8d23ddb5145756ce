// ai-audit keys: lists, rotates and exports keys.
import {
  AuditError,
  EncryptionManager,
  generateKey,
  type KeyRing,
  type Keys,
} from "@ai-audit/core";
import type { Command } from "commander";
import { EXIT, Failure, usageFailure } from "../failure.ts";
import { configuredTrust, encryptionKeys, loadEncryption } from "../settings/keys.ts";
import { replaceFile } from "../output/new-files.ts";
import { Table } from "../output/table.ts";
import type { Session } from "../session.ts";
import { Settings } from "../settings/settings.ts";
import { findSigner } from "../keeping/writing.ts";

interface JsonFlag {
  readonly json?: true;
}

export function define(command: Command, session: Session): void {
  command.description(
    "Lists, rotates and exports keys. Without a subcommand it lists them. Only `rotate --print` and `export --content` " +
      "print secrets.",
  );
  command
    .command("list", { isDefault: true })
    .summary("list the keys of the settings")
    .description("Lists the keys of the settings by id. No secret is printed.")
    .action((flags: JsonFlag) => list(flags, session));
  command
    .command("rotate")
    .summary("add an encryption key and write with it from now on")
    .description(
      "Adds a new encryption key to the file that AUDIT_ENCRYPTION_KEY_FILE names. New entries are encrypted with it once " +
        "the application has loaded the file again. Older keys stay in the file and open what they encrypted.",
    )
    .option(
      "--print",
      "print the new key ring with its secrets, where the key is kept in AUDIT_ENCRYPTION_KEY",
    )
    .action((flags: JsonFlag & { readonly print?: true }) => rotate(flags, session));
  command
    .command("export")
    .summary("print the verification key, or one content key")
    .description(
      "Prints the public verification key that auditors need. With --content, prints the secret key of one kid as a JSON " +
        "Web Key. Any JOSE library opens with it the content of one writer (and one data subject), and nothing else.",
    )
    .option("--content <kid>", "the kid in the header of the encrypted content")
    .action((flags: JsonFlag & { readonly content?: string }) => exportKey(flags, session));
}

interface ListedKey {
  readonly use: "encryption" | "verification";
  readonly id: string;
  readonly note: string;
}

async function list({ json }: JsonFlag, { env, out, log }: Session): Promise<void> {
  const settings = Settings.load(env);
  const signer = findSigner(settings);
  const trusted = configuredTrust(settings);
  const keys: ListedKey[] = [
    ...ids(await encryptionKeys(settings)?.load()),
    ...(signer === undefined
      ? []
      : [{ use: "verification", id: signer.vkey, note: "of the signing key" } as const]),
    ...trusted
      .filter((id) => id !== signer?.vkey)
      .map((id) => ({ use: "verification", id, note: "trusted" }) as const),
  ];
  if (json) return out.json(keys);
  if (keys.length === 0) return log.line("no keys are set; to make some: ai-audit init");
  await new Table<ListedKey>(out, [
    { title: "USE", value: ({ use }) => use },
    { title: "KEY", value: ({ id }) => id },
    { title: "", value: ({ note }) => note },
  ]).rows(keys);
}

function ids(keys: Keys | undefined): ListedKey[] {
  if (keys === undefined) return [];
  const { current, keys: ring } = asRing(keys);
  return Object.keys(ring).map((id) => ({
    use: "encryption",
    id,
    note: id === current ? "writes and reads" : "reads",
  }));
}

/** A single key gets its fingerprint as its id. */
function asRing(keys: Keys): KeyRing {
  if (typeof keys !== "string") return keys;
  const { keyId } = new EncryptionManager(keys);
  return { current: keyId, keys: { [keyId]: keys } };
}

async function rotate(
  { json, print }: JsonFlag & { readonly print?: true },
  { env, out }: Session,
): Promise<void> {
  const settings = Settings.load(env);
  const key = settings.key("AUDIT_ENCRYPTION_KEY");
  const provider = encryptionKeys(settings);
  if (key === undefined || provider === undefined) {
    throw new Failure(EXIT.config, "no encryption key is set", "to make one: ai-audit init");
  }
  if ("path" in key && print)
    throw usageFailure("--print needs a key in AUDIT_ENCRYPTION_KEY, and the key is in a file");
  if ("text" in key && !print) {
    throw new Failure(
      EXIT.config,
      `the key is in AUDIT_ENCRYPTION_KEY (${settings.get("AUDIT_ENCRYPTION_KEY")?.source ?? ""}), which this command cannot change`,
      "--print shows the new value, secrets included",
    );
  }
  const ring = withNewKey(asRing(await provider.load()));
  if ("text" in key) return out.json(ring);
  const { path } = key;
  await replaceFile(path, `${JSON.stringify(ring)}\n`);
  if (json) return out.json({ current: ring.current, file: path });
  await out.line(
    `${ring.current} is the key for new entries; ${path} has ${Object.keys(ring.keys).length} keys`,
  );
  await out.line("Back up the file, and have the application load it again.");
}

function withNewKey({ keys }: KeyRing): KeyRing {
  const key = generateKey();
  const { keyId } = new EncryptionManager(key);
  return { current: keyId, keys: { ...keys, [keyId]: key } };
}

async function exportKey(
  { json, content }: JsonFlag & { readonly content?: string },
  session: Session,
): Promise<void> {
  const settings = Settings.load(session.env);
  if (content !== undefined)
    return session.out.json(contentKey(await loadEncryption(settings), content));
  const signer = findSigner(settings);
  if (signer === undefined) {
    throw new Failure(
      EXIT.config,
      "no signing key is set",
      "set AUDIT_SIGNING_KEY or AUDIT_SIGNING_KEY_FILE",
    );
  }
  await (json ? session.out.json({ vkey: signer.vkey }) : session.out.line(signer.vkey));
}

function contentKey(
  encryption: EncryptionManager,
  kid: string,
): ReturnType<EncryptionManager["exportKey"]> {
  try {
    return encryption.exportKey(kid);
  } catch (error) {
    if (!AuditError.isInstance(error) || error.code !== "AUDIT_DECRYPT_FAILED") throw error;
    throw usageFailure(
      `not a kid: ${kid}`,
      "the first part of an encrypted content, decoded from base64url, names it: ai-audit show ID --json",
    );
  }
}
