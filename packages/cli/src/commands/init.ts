// ai-audit init: keys and settings for a new log.
import { appendFile, chmod, mkdir, readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { AuditError, generateKey, Signer } from "@ai-audit/core";
import { Argument, type Command, Option } from "commander";
import { EXIT, Failure, systemFailure, usageFailure } from "../failure.ts";
import { shellWord } from "../output/format.ts";
import { writeDurably } from "../output/new-files.ts";
import type { Session } from "../session.ts";
import { formatSettings } from "../settings/settings-file.ts";
import { SETTINGS_FILE } from "../settings/settings.ts";

interface InitFlags {
  readonly name: string;
  readonly json?: true;
}

const KEYS = "audit-keys";

export function define(command: Command, session: Session): void {
  command
    .addArgument(
      new Argument("[directory]", "directory for them").default(".", "the working directory"),
    )
    .description(
      `Makes a signing key, an encryption key and a place for the keys of data subjects in ${KEYS}/, readable by you alone, ` +
        `and a commented settings file, ${SETTINGS_FILE}, which .gitignore then names. Existing keys and settings are never changed.`,
    )
    .addOption(
      new Option(
        "--name <name>",
        "name of the signing key; begin it with a domain that you own: example.com/audit",
      ).default(`${hostname()}/audit`, "HOST/audit"),
    )
    .action((directory: string, flags: InitFlags) => init(directory, flags, session));
}

async function init(
  directory: string,
  { name, json }: InitFlags,
  { out, env }: Session,
): Promise<void> {
  const signer = await makeSigner(name);
  const root = resolve(directory);
  const keys = join(root, KEYS);
  await guarded(mkdir(root, { recursive: true }));
  await guarded(mkdir(keys, { mode: 0o700 }));
  await chmod(keys, 0o700); // whatever the umask
  await writeNew(join(keys, ".gitignore"), "*\n");
  await writeNew(join(keys, "signing.pem"), signer.toPem());
  await writeNew(join(keys, "signing.vkey"), `${signer.vkey}\n`);
  await writeNew(join(keys, "encryption.key"), `${generateKey()}\n`);
  await mkdir(join(keys, "subjects"), { mode: 0o700 });
  const file = join(root, SETTINGS_FILE);
  await writeNew(
    file,
    formatSettings({
      AUDIT_LOG: "./audit-logs",
      AUDIT_TRUSTED_KEYS: signer.vkey,
      AUDIT_SIGNING_NAME: name,
      AUDIT_SIGNING_KEY_FILE: `./${KEYS}/signing.pem`,
      AUDIT_ENCRYPTION_KEY_FILE: `./${KEYS}/encryption.key`,
      AUDIT_SUBJECT_KEYS: `./${KEYS}/subjects`,
      AUDIT_RETENTION_DAYS: "365",
    }),
  );
  await ignoreByGit(join(root, ".gitignore"), `/${SETTINGS_FILE}`);
  if (json) return out.json({ settings: file, keys, vkey: signer.vkey });
  await out.write(nextSteps(file, keys, signer, env));
}

async function makeSigner(name: string): Promise<Signer> {
  try {
    return await Signer.generate(name);
  } catch (error) {
    if (AuditError.isInstance(error))
      throw usageFailure(`--name: ${error.message}`, "such as example.com/audit");
    throw error;
  }
}

function nextSteps(
  file: string,
  keys: string,
  { name, vkey }: Signer,
  env: Session["env"],
): string {
  const inShell = (key: string): string => `"$(cat ${shellWord(join(keys, key))})"`;
  return `made ${keys} and ${file}

In the application:

    import { AuditLogger, EncryptionManager, FileStorage, Signer } from "@ai-audit/core";

    const logger = new AuditLogger(new FileStorage({ path: "./audit-logs", signer: Signer.fromEnv(${JSON.stringify(name)}) }), {
      encryption: EncryptionManager.fromEnv(), // AUDIT_ENCRYPTION_KEY
      storeContent: true, // default: hashes only
    });

Give it the keys by its environment, from a secret store or, in a shell:

    export AUDIT_SIGNING_KEY=${inShell("signing.pem")}
    export AUDIT_ENCRYPTION_KEY=${inShell("encryption.key")}

Name the settings file to the command. Without that, verify trusts no key of it: anybody who hands over a log can put
such a file beside it.

    export AUDIT_CONFIG=${shellWord(file)}

To be able to erase the content of one person later, import FileKeyStore too and give the encryption a place for the
keys of data subjects:

    EncryptionManager.fromEnv(undefined, { subjects: new FileKeyStore({ path: ${JSON.stringify(join(keys, "subjects"))} }) })

Give this verification key to everybody who verifies the log. It is not secret:

    ${vkey}

Back up the keys in another place than the log: without encryption.key, encrypted content can never be read again.
Next: ${calledAs(env)} doctor
`;
}

/** The words that called this program. npm passes scripts and npx their name. */
function calledAs(env: Session["env"]): string {
  const event = env["npm_lifecycle_event"];
  if (event === "ai-audit") return "npm run -s ai-audit --";
  return event === "npx" ? "npx ai-audit" : "ai-audit";
}

async function writeNew(path: string, text: string): Promise<void> {
  await guarded(writeDurably(path, text));
}

/** Adds a line to a .gitignore that lacks it: keys may be put into the settings file later. */
async function ignoreByGit(path: string, line: string): Promise<void> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (systemFailure(error)?.exitCode === EXIT.missing) return "";
    throw error;
  });
  if (text.split(/\r?\n/).includes(line)) return;
  await appendFile(path, `${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`);
}

/** Never overwrites: content encrypted with a replaced key could not be opened. */
async function guarded(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const failure = systemFailure(error);
    if (failure?.exitCode !== EXIT.cannotCreate) throw error;
    throw new Failure(
      EXIT.cannotCreate,
      failure.message,
      "keys are never replaced; to add a new one: ai-audit keys rotate",
      {
        cause: error,
      },
    );
  }
}
