// Verifies signatures on the thread pool while the main thread goes on hashing.
import { verify } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** Enough to keep the pool busy across chunk boundaries. */
const MAX_PENDING = 256;

/** Signatures over checkpoints of one file. */
export class SignatureQueue {
  readonly #publicKey: KeyObject;
  #pending = 0;
  #waiting:
    | {
        readonly limit: number;
        readonly resolve: () => void;
        readonly reject: (error: Error) => void;
      }
    | undefined;
  #error: Error | undefined;
  /** Lines of the checkpoints with a bad signature, in no order. */
  readonly badLines: number[] = [];

  constructor(publicKey: KeyObject) {
    this.#publicKey = publicKey;
  }

  /** Starts to verify one signature (Ed25519, RFC 8032). `badLines` will name it by `line`. */
  add(line: number, text: string, signature: Buffer): void {
    this.#pending += 1;
    verify(null, Buffer.from(text), this.#publicKey, signature, (error, isGood) => {
      this.#pending -= 1;
      if (error !== null) this.#error ??= error;
      else if (!isGood) this.badLines.push(line);
      this.#wake();
    });
  }

  /** Resolves when there is room for more signatures in flight. */
  async room(): Promise<void> {
    await this.#until(MAX_PENDING);
  }

  /** Resolves when all are verified. Rejects when verification itself failed. */
  async settled(): Promise<void> {
    await this.#until(0);
  }

  async #until(limit: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#waiting = { limit, resolve, reject };
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waiting === undefined || this.#pending > this.#waiting.limit) return;
    const { resolve, reject } = this.#waiting;
    this.#waiting = undefined;
    if (this.#error === undefined) resolve();
    else reject(this.#error);
  }
}
