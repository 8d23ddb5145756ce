// Origins: the name of the tree that a checkpoint seals. Writer and verifier share this spelling.
import { segmentStem } from "./segment-name.ts";

/** The first part of an origin without a signing key. */
export const UNSIGNED_NAME = "ai-audit";

/** The origin of a segment's checkpoints: `<key name>/<stream>/<file stem>`. */
export function originOf(keyName: string, stream: string, file: string): string {
  return `${keyName}/${stream}/${segmentStem(file)}`;
}

/** The file an origin is about: its last part, with `.jsonl`. */
export function fileOfOrigin(origin: string): string {
  return `${origin.slice(origin.lastIndexOf("/") + 1)}.jsonl`;
}
