// Definitions of tools by their hashes: a definition that changes is evidence.
import { hash } from "node:crypto";
import { canonicalJson } from "@ai-audit/core/format";
import {
  type CapturedFields,
  fieldsOf,
  type JsonValue,
  listOf,
  pick,
  RecentMap,
  textOf,
  toJson,
} from "@ai-audit/core/capture";

/** SHA-256 of a tool's definition as canonical JSON (RFC 8785), 64 hex digits. */
export function definitionHash(tool: object): string {
  return hash("sha256", canonicalJson(toJson(tool)));
}

interface Definition {
  readonly sha256: string;
  /** The server's own claims about the tool: `readOnlyHint`, `destructiveHint` … */
  readonly hints: JsonValue;
}

/** More tools than this: the oldest is forgotten. */
const MAX_TOOLS = 10_000;
const CHECK = "mcp:tool_definitions";

/** The tools that the server of one connection listed. */
export class ListedTools {
  readonly #known = new RecentMap<string, Definition>(MAX_TOOLS);
  readonly #approved: ReadonlyMap<string, string> | undefined;

  constructor(approved: ReadonlyMap<string, string> | undefined) {
    this.#approved = approved;
  }

  /** Hash and hints of a tool that is called; undefined before it was listed. */
  facts(name: string): JsonValue | undefined {
    const { sha256, hints } = this.#known.get(name) ?? {};
    return sha256 === undefined ? undefined : { sha256, hints: hints ?? {} };
  }

  /** Takes the result of a `tools/list`. */
  list(result: unknown): CapturedFields {
    const hashes: Record<string, string> = {};
    const changed: string[] = [];
    const unapproved: string[] = [];
    for (const tool of listOf(fieldsOf(result)["tools"])) {
      const fields = fieldsOf(tool);
      const name = textOf(fields["name"]);
      if (name === undefined) continue;
      const sha256 = definitionHash(fields);
      const before = this.#known.get(name);
      if (before !== undefined && before.sha256 !== sha256) changed.push(name);
      if (this.#approved !== undefined && this.#approved.get(name) !== sha256)
        unapproved.push(name);
      this.#known.set(name, { sha256, hints: hintsOf(fields["annotations"]) });
      hashes[name] = sha256;
    }
    const isFound = changed.length > 0 || unapproved.length > 0;
    return {
      ...((this.#approved !== undefined || isFound) && { safetyChecks: [CHECK] }),
      ...(isFound && {
        safetyPassed: false,
        detectorsTriggered: [
          ...(changed.length > 0 ? [`${CHECK}:changed`] : []),
          ...(unapproved.length > 0 ? [`${CHECK}:unapproved`] : []),
        ],
      }),
      metadata: {
        tool_definitions: hashes,
        ...(changed.length > 0 && { tools_changed: changed }),
        ...(unapproved.length > 0 && { tools_unapproved: unapproved }),
      },
    };
  }
}

function hintsOf(annotations: unknown): JsonValue {
  const names = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];
  return toJson(pick(fieldsOf(annotations), names));
}
