// Control lines of a log: facts about the log itself, as its files hold them. Nothing here is
// verified.
import type { ControlLine, ControlLineOf, ControlType } from "../format/control-line.ts";
import { eachLine, LineSplitter } from "../format/lines.ts";
import { readLineOf } from "../format/read-control-line.ts";
import { dayOfSegment } from "../format/segment-name.ts";
import type { LogSource } from "../verify/log-source.ts";

/** A control line and its place. */
export interface PlacedLine<T extends ControlType = ControlType> {
  readonly file: string;
  /** The line as it is in the file. */
  readonly text: string;
  readonly line: ControlLineOf<T>;
}

/** Options of `controlLines()`. */
export interface ControlLineOptions {
  /** Files of this UTC day (`YYYYMMDD`) and of later ones. @default all files */
  readonly fromDay?: string | undefined;
  /** Called with every line that is not a control line. The bytes are valid during the call. */
  readonly onEntry?: ((bytes: Buffer, start: number, end: number) => void) | undefined;
}

/**
 * The control lines of these types, file by file in the order of the names. Lines that do not fit
 * the format are left out: `verify` reports them.
 */
export async function* controlLines<T extends ControlType>(
  source: LogSource,
  types: readonly T[],
  { fromDay = "", onEntry }: ControlLineOptions = {},
): AsyncGenerator<PlacedLine<T>, void, undefined> {
  const files = (await source.files())
    .filter(({ file, oddity }) => oddity === undefined && (dayOfSegment(file) ?? "") >= fromDay)
    .map(({ file }) => file);
  for (const file of files.toSorted()) {
    const splitter = new LineSplitter();
    for await (const chunk of source.read(file)) {
      const found: PlacedLine<T>[] = [];
      for (const block of splitter.push(chunk)) {
        eachLine(block, (bytes, start, end) => {
          if (bytes[start + 2] !== TYPE_BYTE) return onEntry?.(bytes, start, end);
          const text = bytes.toString("utf8", start, end);
          const line = readLineOf(text, ...types);
          if (line !== undefined) found.push({ file, text, line });
        });
      }
      yield* found;
    }
  }
}

/** `t` of `{"type":`. The first member of an entry's line is `id`. */
const TYPE_BYTE = 0x74;

/** Time of a control line's fact, RFC 3339; undefined if the line has no time. */
export function timeOf(line: ControlLine): string | undefined {
  switch (line.type) {
    case "segment.open":
      return line.created;
    case "retention.hold":
      return line.placed;
    case "retention.release":
      return line.released;
    case "call.started":
      return line.timestamp;
    case "loss":
      return line.at ?? line.to;
    case "retention.prune":
    case "retention.archived":
    case "subject.erased":
    case "run.started":
    case "heartbeat":
      return line.at;
    case "again":
    case "segment.gap":
    case "segment.close":
    case "retention.seen":
    case "checkpoint":
    default:
      return undefined;
  }
}
