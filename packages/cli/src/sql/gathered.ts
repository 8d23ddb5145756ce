// Lines of a log in a temporary directory, for readers of files.
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { removingOnSignal } from "../output/whole-or-nothing.ts";

/**
 * Writes lines into a temporary directory that only this user can read, and removes it after
 * `work`, also where a signal ends the process, because it holds prompts.
 *
 * @param pages lines without line feeds
 */
export async function withGathered<T>(
  pages: AsyncIterable<readonly string[]>,
  work: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "ai-audit-"));
  try {
    return await removingOnSignal(directory, async () => {
      const file = createWriteStream(join(directory, "audit_19700101.jsonl"), {
        flags: "wx",
        mode: 0o600,
      });
      await pipeline(Readable.from(textOf(pages)), file);
      return work(directory);
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function* textOf(
  pages: AsyncIterable<readonly string[]>,
): AsyncGenerator<string, void, undefined> {
  for await (const page of pages) yield page.map((line) => `${line}\n`).join("");
}
