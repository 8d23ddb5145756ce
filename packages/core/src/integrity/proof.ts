// Proves one entry to somebody who has nothing but the proof's text and the keys they trust.
import { verify } from "node:crypto";
import { AuditError, AuditInputError } from "../errors.ts";
import { timeOfId } from "../id.ts";
import { safeLine } from "../safe-text.ts";
import { CHECKPOINT_PREFIX } from "./control-line.ts";
import { eachLine, LineSplitter } from "./lines.ts";
import { idOf } from "./locate.ts";
import type { LogSource } from "./log-source.ts";
import { inclusionPath, leafHash, leafHashInPlace, rootOfInclusion } from "./merkle.ts";
import { type Checkpoint, type Note, parseCheckpoint, parseNote } from "./note.ts";
import { UNSIGNED_NAME } from "./origin.ts";
import { parseObject } from "./read-control-line.ts";
import { segmentDay } from "./segment-name.ts";
import { formatTlogProof, parseTlogProof } from "./tlog-proof.ts";
import type { ExitCode } from "./verification.ts";
import { type Keyring, keyringOf } from "./verify-checkpoint.ts";

/**
 * The proof of one entry, as a C2SP tlog-proof: its line as extra data, its index, its audit path, and the first
 * checkpoint that covers it. Undefined when the log has no such entry.
 *
 * What the log says is not verified here: `checkProof` does that, for whoever receives the proof.
 * @param id The entry's id.
 * @throws {AuditInputError} `AUDIT_INPUT_INVALID` when `id` cannot be one.
 * @throws {AuditError} `AUDIT_READ_FAILED` when the log cannot be read, or no checkpoint covers the entry.
 */
export async function proveEntryIn(source: LogSource, id: string): Promise<string | undefined> {
  if (!/^[0-9a-f-]{36}$/.test(id)) throw new AuditInputError("An entry id has 36 characters: 0-9, a-f and -");
  try {
    for (const file of await filesLikelyFirst(source, id)) {
      const found = await search(source.read(file), id);
      if (found !== undefined) return found;
    }
    return undefined;
  } catch (error) {
    if (AuditError.isInstance(error)) throw error;
    throw new AuditError("AUDIT_READ_FAILED", "The log could not be read", { cause: error });
  }
}

/** An id's time says on which day the entry was written; the other files are searched last. */
async function filesLikelyFirst(source: LogSource, id: string): Promise<string[]> {
  const time = timeOfId(id);
  const ofDay = time === undefined ? "" : `audit_${segmentDay(new Date(time))}`;
  const readable = (await source.files()).filter(({ oddity }) => oddity?.isReadable !== false);
  const names = readable.map(({ file }) => file).toSorted();
  return [...names.filter((file) => file.startsWith(ofDay)), ...names.filter((file) => !file.startsWith(ofDay))];
}

/** `{"id":"`, 36 characters and the closing quote. */
const ID_BYTES = 44;

async function search(chunks: AsyncIterable<Buffer>, id: string): Promise<string | undefined> {
  const splitter = new LineSplitter();
  const leaves: Buffer[] = [];
  let extra: Buffer | undefined;
  let index = -1;
  let note: string | undefined;
  for await (const chunk of chunks) {
    for (const block of splitter.push(chunk)) {
      eachLine(block, (bytes, start, end) => {
        if (note !== undefined) return;
        const beginning = bytes.toString("latin1", start, Math.min(end, start + ID_BYTES));
        if (beginning.startsWith(CHECKPOINT_PREFIX)) {
          if (extra !== undefined) note = noteOf(bytes.toString("utf8", start, end));
          return;
        }
        if (extra === undefined && idOf(beginning) === id) {
          extra = Buffer.from(bytes.subarray(start, end));
          index = leaves.length;
        }
        leaves.push(leafHashInPlace(bytes, start, end));
      });
    }
    if (note !== undefined) break;
  }
  if (extra === undefined) return undefined;
  if (note === undefined) throw new AuditError("AUDIT_READ_FAILED", `No checkpoint covers entry ${id}`);
  return formatTlogProof({ extra, index, path: inclusionPath(leaves, index), note });
}

function noteOf(line: string): string {
  const note = parseObject(line)?.["note"];
  return typeof note === "string" ? note : "";
}

/** What a proof shows. */
export interface ProofCheck {
  /** 0 proven by a key given, 1 refuted, 2 consistent but nobody given vouches for it, 3 not a proof. */
  readonly exitCode: ExitCode;
  readonly state: "OK" | "TAMPERED" | "UNKNOWN_KEY" | "UNSIGNED" | "MALFORMED";
  /** One line in plain words. */
  readonly verdict: string;
  /** The entry's line, when the path leads from it to the checkpoint's root. */
  readonly line?: string;
  readonly entryId?: string;
  /** The checkpoint that covers it. */
  readonly checkpoint?: Checkpoint;
  /** Of the line in the tree, from 0. */
  readonly index?: number;
  readonly signedBy?: string;
}

/**
 * Checks a proof from its text alone.
 * @param trustedKeys `vkey`s of the keys that may have signed.
 * @throws {AuditConfigError} `AUDIT_KEY_INVALID` when a trusted key is malformed.
 */
export function checkProof(text: string, trustedKeys: readonly string[]): ProofCheck {
  const keyring = keyringOf(trustedKeys);
  const proof = parseTlogProof(text);
  const note = proof && parseNote(proof.note);
  const checkpoint = note && parseCheckpoint(note.text);
  if (proof?.extra === undefined || note === undefined || checkpoint === undefined) {
    return { exitCode: 3, state: "MALFORMED", verdict: "NOT VERIFIED: this is no proof of an entry" };
  }
  const { extra, index, path } = proof;
  const { size } = checkpoint;
  const root = rootOfInclusion({ leaf: leafHash(extra), index, size, path })?.toString("base64");
  if (root !== checkpoint.root) {
    return { exitCode: 1, state: "TAMPERED", verdict: "TAMPERED: the line is not in the tree at this place" };
  }
  const line = extra.toString();
  const entryId = idOf(line);
  const found = { line, checkpoint, index, ...(entryId !== undefined && { entryId }) };
  const judgement = judgeSignatures(note, checkpoint, keyring, entryId ?? "this line");
  return { ...found, ...judgement, verdict: safeLine(judgement.verdict) }; // origin and names are whatever the note says
}

type Judgement = Pick<ProofCheck, "exitCode" | "state" | "verdict" | "signedBy">;

function judgeSignatures(note: Note, { origin }: Checkpoint, keyring: Keyring, what: string): Judgement {
  const place = `is in ${origin}`;
  const known = note.signatures.flatMap(({ name, keyHash, signature }) => {
    const key = keyring.get(`${name}+${keyHash}`);
    return key === undefined ? [] : [{ key, signature }];
  });
  for (const { key, signature } of known) {
    // C2SP signed-note: one bad signature by a known key spoils the note.
    if (!verify(null, Buffer.from(note.text), key.publicKey, signature)) {
      return { exitCode: 1, state: "TAMPERED", verdict: `TAMPERED: the signature by ${key.name} does not verify` };
    }
  }
  const signer = known.find(({ key }) => origin.startsWith(`${key.name}/`));
  if (signer !== undefined) {
    const { name } = signer.key;
    return { exitCode: 0, state: "OK", verdict: `OK: ${what} ${place}; sealed by ${name}`, signedBy: name };
  }
  if (note.signatures.length === 0 && origin.startsWith(`${UNSIGNED_NAME}/`)) {
    return { exitCode: 2, state: "UNSIGNED", verdict: `UNSIGNED: ${what} ${place}, which anybody can have written` };
  }
  const names = note.signatures.map(({ name, keyHash }) => `${name}+${keyHash}`).join(", ");
  const verdict = `UNKNOWN_KEY: ${what} ${place}, signed by ${names || "nobody"}: no key that was given`;
  return { exitCode: 2, state: "UNKNOWN_KEY", verdict };
}
