// A response's body as bytes, for callers who read it themselves.
import { createHash } from "node:crypto";
import type { JsonValue } from "../../format/canonical.ts";

/** A body that was too large to keep. */
export class LargeBody {
  /** `{ mime, bytes, sha256 }` */
  readonly digest: JsonValue;

  constructor(digest: JsonValue) {
    this.digest = digest;
  }
}

/** A body that comes in pieces: whole up to a limit, its digest beyond. */
export class BodyPieces {
  readonly #limit: number;
  readonly #hash = createHash("sha256");
  #kept: Uint8Array[] = [];
  #bytes = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.#bytes += piece.byteLength;
    if (this.#bytes <= this.#limit) this.#kept.push(piece.slice()); // the reader may overwrite its own
    else this.#kept = [];
  }

  end(mime: string): Uint8Array | LargeBody {
    if (this.#bytes <= this.#limit) return Buffer.concat(this.#kept);
    return new LargeBody({ mime, bytes: this.#bytes, sha256: this.#hash.digest("hex") });
  }
}

/**
 * The JSON payloads of server-sent events:
 * https://html.spec.whatwg.org/#event-stream-interpretation
 */
export function* eventsIn(text: string): Generator {
  for (const block of text.split(/\r\n\r\n|\n\n|\r\r/)) {
    const data = block
      .split(/\r\n|\n|\r/)
      .filter((line) => line.startsWith("data:"))
      .map((line) => line.slice(line.startsWith("data: ") ? 6 : 5))
      .join("\n");
    if (data === "" || data === "[DONE]") continue;
    try {
      yield JSON.parse(data) as unknown;
    } catch {
      yield data; // the collector names what it cannot read
    }
  }
}
