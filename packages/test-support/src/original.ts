// Logs of the Python original, with their key and expected content.
import { fileURLToPath } from "node:url";

/** Directory with `hash/`, `plain/`, `encrypted/`, `key.txt` and `expected.json`. */
export const ORIGINAL_LOGS: string = fileURLToPath(
  new URL("../fixtures/rotalabs-comply", import.meta.url),
);

/** Name of the one log file in each of the three directories. */
export const ORIGINAL_FILE = "audit_20261123.jsonl";
