// Writing to a terminal or a pipe: colour where it is wanted, a buffer, and no more bytes than the reader takes.
import { once } from "node:events";
import { isatty } from "node:tty";
import { styleText } from "node:util";
import { EXIT, Failure } from "../failure.ts";

/** A colour or weight of `util.styleText`. */
export type Style = Parameters<typeof styleText>[0];

/** Bytes gathered before they are written: one system call for many lines. */
const BUFFER_CHARS = 64 * 1024;

/** One of the process's output streams. */
export class Output {
  readonly #stream: NodeJS.WriteStream;
  readonly #neighbour: Output | undefined;
  /** Whether a person is reading. */
  readonly isTerminal: boolean;
  #buffer = "";
  /** Whether the last line on the terminal is one of `overwrite()`. */
  #isOverwritten = false;
  #failure: Error | undefined;

  /** @param neighbour the other stream: a bar of its own is taken off the terminal before this one writes there */
  constructor(stream: NodeJS.WriteStream, fileDescriptor: 1 | 2, neighbour?: Output) {
    this.#stream = stream;
    this.#neighbour = neighbour;
    this.isTerminal = isatty(fileDescriptor);
    stream.on("error", (error) => {
      this.#failure = error;
    });
  }

  /** Width in characters; 80 where it is unknown. */
  get columns(): number {
    return this.#stream.columns || 80;
  }

  /** The text in a style, where the stream is a terminal and NO_COLOR is not set. */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stream });
  }

  /** One line. Resolves when there is room for more. */
  async line(text = ""): Promise<void> {
    await this.write(`${text}\n`);
  }

  /** A value as one line of JSON. */
  async json(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  /** Text as it is. Resolves when there is room for more. */
  async write(text: string): Promise<void> {
    this.#buffer += text;
    if (this.#buffer.length >= BUFFER_CHARS) await this.flush();
  }

  /** Hands over what is buffered. Rejects when the reader went away. */
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

  /** A text without a line feed, in place of the one before; nothing takes it away, as does what is written next. */
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
