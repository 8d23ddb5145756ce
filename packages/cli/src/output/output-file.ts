// Results that go to a file when one is named, and to standard output otherwise.
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { type Command, Option } from "commander";
import { EXIT, Failure, systemFailure } from "../failure.ts";
import { syncFile } from "./new-files.ts";
import { wholeOrNothing } from "./whole-or-nothing.ts";
import type { Output } from "./output.ts";

/** A target for text. */
export interface Sink {
  readonly write: (text: string) => Promise<void>;
}

/** Gives a command the option --output. */
export function addOutputOption(command: Command): Command {
  return command.addOption(
    new Option("-o, --output <file>", "write to a file, which must not exist yet"),
  );
}

/**
 * Runs `produce` with a sink: the file, made with mode 0600 and durable when this resolves, or
 * standard output. Leaves no file behind on failure.
 *
 * @throws {Failure} when the file exists or cannot be made
 */
export async function withSink(
  path: string | undefined,
  out: Output,
  produce: (sink: Sink) => Promise<void>,
): Promise<void> {
  if (path === undefined) {
    await produce(out);
    return;
  }
  const handle = await open(
    path,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
    0o600,
  ).catch((cause: unknown) => {
    const failure = systemFailure(cause);
    throw new Failure(
      EXIT.cannotCreate,
      failure?.message ?? `cannot be made: ${path}`,
      hintOf(failure),
      { cause },
    );
  });
  await wholeOrNothing(path, async () => {
    try {
      await produce({
        write: async (text) => {
          await handle.write(text);
        },
      });
      await syncFile(handle);
    } finally {
      await handle.close();
    }
  });
}

/** A name that does not exist can only be the directory's. */
function hintOf(failure: Failure | undefined): string | undefined {
  return failure?.exitCode === EXIT.missing ? "make the directory first" : failure?.hint;
}
