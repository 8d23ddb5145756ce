// The holds in a directory: a hold or its release is the second line of a segment of its own.
import {
  type Holds,
  firstLines,
  holdsOf,
  kindOfHoldLine,
  type SecondLine,
} from "../../retention/holds.ts";
import type { Directory } from "./directory.ts";

/**
 * Reads the beginning of every file. A hold is believed in any file: a forged one keeps too much,
 * which is visible. A release must be proven, by the directory's own key or by the key under which
 * the hold was placed.
 */
export async function readHolds(directory: Directory): Promise<Holds> {
  const seconds = new Map<string, SecondLine>();
  for (const { file } of await directory.list()) {
    const line = (await firstLines(directory.reader(file)))?.second;
    const kind = line === undefined ? undefined : kindOfHoldLine(line);
    if (line === undefined || kind === undefined) continue;
    if (kind === "hold") {
      seconds.set(file, { line, vkey: (await directory.head(file))?.vkey ?? null });
    } else {
      const seal = await directory.seal(file);
      if (seal) seconds.set(file, { line, vkey: seal.vkey });
    }
  }
  // An unsigned hold can be removed as easily as released.
  return holdsOf(
    seconds,
    (vkey, hold) => hold.vkey === null || vkey === hold.vkey || directory.actor.isOwn(vkey),
  );
}
