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
  /** Lines of the checkpoints whose signature does not verify, in no order. */
  readonly badLines: number[] = [];

  constructor(publicKey: KeyObject) {
    this.#publicKey = publicKey;
  }

  /** Starts to verify one signature. `line` is what `badLines` will name it by. Ed25519, RFC 8032. */
  add(line: number, text: string, signature: Buffer): void {
    this.#pending += 1;
    verify(null, Buffer.from(text), this.#publicKey, signature, (error, isGood) => {
      this.#pending -= 1;
      if (error !== null) this.#error ??= error;
      else if (!isGood) this.badLines.push(line);
      this.#wake();
    });
  }

  /** Resolves when few enough signatures are in flight to go on. */
  async room(): Promise<void> {
    await this.#until(MAX_PENDING);
  }

  /** Resolves when all are verified. Rejects when the verifier itself failed. */
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
