// A log with ordinary, blocked and hostile entries, and the page of its entries.
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { proveEntries } from "@ai-audit/core/verify";
import type { PageData } from "../../src/page/data.ts";
import { PageCollector } from "../../src/page/collect.ts";

/** Prompts that would break out of a page, or deceive its reader. */
export const HOSTILE: readonly string[] = [
  "</script><script>document.title = 'taken over'</script>",
  "<!-- <script> --!>",
  "<img src=x onerror=\"document.title = 'taken over'\">",
  "\u202Egnp.exe\u2028\u0000",
];

/** A log of `count` entries in two files, sealed by one key. */
export interface PageLog {
  readonly directory: string;
  readonly vkey: string;
  readonly ids: readonly string[];
}

/** Writes the log. */
export async function writePageLog(directory: string, count = 24): Promise<PageLog> {
  const signer = await Signer.generate("example.com/audit");
  const ids: string[] = [];
  for (const half of [0, 1]) {
    const logger = new AuditLogger(new FileStorage({ path: directory, signer }), {
      storeContent: true,
    });
    for (let index = half; index < count; index += 2) {
      ids.push(
        await logger.log({
          input: HOSTILE[index] ?? `Question ${index}`,
          output: `Answer ${index}`,
          provider: "openai",
          model: "gpt-5",
          operation: "chat",
          outcome: index % 5 === 4 ? "blocked" : "ok",
          latencyMs: 100,
          actor: { id: "ada", kind: "user" },
        }),
      );
    }
    await logger.close();
  }
  return { directory, vkey: signer.vkey, ids };
}

/** The data of the page of all its entries. */
export async function pageDataOf({ directory, ids }: PageLog): Promise<PageData> {
  const collector = new PageCollector();
  for await (const { proof } of proveEntries(directory, ids, { checkpoint: "last" }))
    collector.add(proof ?? "");
  return collector.data({ made: new Date(0), selection: "all entries", unproven: 0 });
}
