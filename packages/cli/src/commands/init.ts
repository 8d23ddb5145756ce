// ai-audit init: keys and settings for a new log.
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { AuditError, generateKey, Signer } from "@ai-audit/core";
import { Argument, type Command, Option } from "commander";
import { EXIT, Failure, systemFailure, usageFailure } from "../failure.ts";
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
      new Argument("[directory]", "where to put them").default(".", "the working directory"),
    )
    .description(
      `Makes a signing key, an encryption key and a place for the keys of data subjects in ${KEYS}/, readable by you alone, ` +
        `and a commented settings file, ${SETTINGS_FILE}. Nothing that exists is changed.`,
    )
    .addOption(
      new Option(
        "--name <name>",
        "name of the signing key, best one you own: example.com/audit",
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

Its environment has the keys, from a secret store or, in a shell:

    export AUDIT_SIGNING_KEY=${inShell("signing.pem")}
    export AUDIT_ENCRYPTION_KEY=${inShell("encryption.key")}

To log what is about persons, whose content can then be erased, import FileKeyStore too and give the encryption a place
for their keys:

    EncryptionManager.fromEnv(undefined, { subjects: new FileKeyStore({ path: ${JSON.stringify(join(keys, "subjects"))} }) })

Give this to everybody who verifies the log; it is no secret:

    ${vkey}

Back the keys up where the log is not: without encryption.key nothing that was encrypted can be read again.
Then: ${calledAs(env)} doctor
`;
}

/** How this program was called, to be called so again: npm tells scripts and npx what it runs. */
function calledAs(env: Session["env"]): string {
  const event = env["npm_lifecycle_event"];
  if (event === "ai-audit") return "npm run -s ai-audit --";
  return event === "npx" ? "npx ai-audit" : "ai-audit";
}

/** A word that a POSIX shell takes as it is. */
function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

async function writeNew(path: string, text: string): Promise<void> {
  await guarded(writeFile(path, text, { flag: "wx", mode: 0o600, flush: true }));
}

/** What exists stays: a key that is replaced takes everything encrypted with it along. */
async function guarded(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const failure = systemFailure(error);
    if (failure?.exitCode !== EXIT.cannotCreate) throw error;
    throw new Failure(
      EXIT.cannotCreate,
      failure.message,
      "keys are never replaced; `keys rotate` adds a new one",
      {
        cause: error,
      },
    );
  }
}
