// Writing to a terminal or a pipe: colours, a buffer, and back-pressure.
import { once } from "node:events";
import { isatty } from "node:tty";
import { styleText } from "node:util";
import { EXIT, Failure } from "../failure.ts";

/** A colour or weight of `util.styleText`. */
export type Style = Parameters<typeof styleText>[0];

/** Characters gathered before they are written: one system call for many lines. */
const BUFFER_CHARS = 64 * 1024;

/** One of the process's output streams. */
export class Output {
  readonly #stream: NodeJS.WriteStream;
  readonly #neighbour: Output | undefined;
  /** Whether the stream is a terminal. */
  readonly isTerminal: boolean;
  #buffer = "";
  /** Whether a status line of `overwrite()` is on the terminal. */
  #isOverwritten = false;
  #failure: Error | undefined;

  /**
   * @param neighbour the other stream: its status line is removed before this one writes to the
   * terminal
   */
  constructor(stream: NodeJS.WriteStream, fileDescriptor: 1 | 2, neighbour?: Output) {
    this.#stream = stream;
    this.#neighbour = neighbour;
    this.isTerminal = isatty(fileDescriptor);
    stream.on("error", (error) => {
      this.#failure = error;
    });
  }

  /** Width in characters; 80 if it is unknown. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  /** The text in a style, where the stream is a terminal and NO_COLOR is not set. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }

  /**
   * One line, with styles. The caller has made text of the log safe. Resolves when there is room
   * for more.
   */
  async line(text = ""): Promise<void> {
    await this.#append(`${text}\n`);
  }

  /** A value as one line of JSON. */
  async json(value: unknown): Promise<void> {
    await this.write(`${JSON.stringify(value)}\n`);
  }

  /**
   * Text without styles: lines of the log, JSON, CSV. A pipe or a file gets it as it is; a terminal
   * gets control characters spelled out, in JSON as escapes. Resolves when there is room for more.
   */
  async write(text: string): Promise<void> {
    if (!this.isTerminal) return this.#append(text);
    // Loaded here: core would make the start of `--version` half as long again.
    const { safeText } = await import("@ai-audit/core/format");
    await this.#append(safeText(text));
  }

  async #append(text: string): Promise<void> {
    this.#buffer += text;
    if (this.#buffer.length >= BUFFER_CHARS) await this.flush();
  }

  /** Writes the buffer. Rejects when the reader has gone. */
  async flush(): Promise<void> {
    const text = this.#buffer;
    this.#buffer = "";
    this.#check();
    if (text !== "") {
      this.overwrite("");
      if (this.isTerminal) this.#neighbour?.overwrite("");
    }
    // `once` rejects with the stream's error, which the listener kept and #check() throws.
    if (text !== "" && !this.#stream.write(text))
      await once(this.#stream, "drain").catch(() => undefined);
    this.#check();
  }

  /** Replaces the current status line. An empty string removes it, as does the next write(). */
  overwrite(text: string): void {
    if (text === "" && !this.#isOverwritten) return;
    this.#isOverwritten = text !== "";
    this.#stream.write(`\r\u001B[2K${text}`);
  }

  #check(): void {
    if (this.#failure === undefined) return;
    if ("code" in this.#failure && this.#failure.code === "EPIPE")
      throw new Failure(EXIT.brokenPipe, "");
    throw this.#failure;
  }
}
