// The thread that makes the file calls of the write path. A blocked write(2) cannot be timed out, and on the event loop it
// would stop the application; on libuv's pool four of them would stop its DNS look-ups.
import { SHARE_ENV, Worker } from "node:worker_threads";

/** The calls, their input and result. Each runs to its end before the next one begins. */
interface Calls {
  /** Makes a file that must not exist; `directory` is synced where it is given. Resolves to the descriptor. */
  create: { input: { path: string; directory: string | undefined }; result: number };
  /** Appends; `sync` makes the bytes durable. Resolves to the state of the file after it. */
  append: { input: { fd: number; bytes: Uint8Array; sync: boolean }; result: FileStatus };
  /** Whether another file, or none, has the name. */
  wasMoved: { input: { fd: number; path: string }; result: boolean };
  /** Bytes of the file. */
  size: { input: { fd: number }; result: number };
  /** Closes the file; an empty one is removed. */
  close: { input: { fd: number; path: string }; result: undefined };
}

/** A file's size in bytes, and the number of names that it has. */
export interface FileStatus {
  readonly size: number;
  readonly names: number;
}

// A string, and no module of its own: bundlers then carry it along. `append` does in one hand-over what takes three calls;
// one costs 46 µs of CPU, a FileHandle's call 39 µs.
const SOURCE = `
const { parentPort } = require("node:worker_threads");
const fs = require("node:fs");
const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = fs.constants;
const calls = {
  create({ path, directory }) {
    const fd = fs.openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
    if (directory === undefined || process.platform === "win32") return fd;
    try {
      const folder = fs.openSync(directory, "r");
      try { fs.fsyncSync(folder); } finally { fs.closeSync(folder); }
      return fd;
    } catch (error) {
      calls.close({ fd, path });
      throw error;
    }
  },
  append({ fd, bytes, sync }) {
    for (let at = 0; at < bytes.length; ) {
      const written = fs.writeSync(fd, bytes, at);
      if (written === 0) throw Object.assign(new Error("EIO: nothing was written, write"), { code: "EIO" });
      at += written;
    }
    if (sync) fs.fdatasyncSync(fd);
    const { size, nlink } = fs.fstatSync(fd);
    return { size, names: nlink };
  },
  wasMoved({ fd, path }) {
    const there = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    return there === undefined || there.ino !== fs.fstatSync(fd, { bigint: true }).ino;
  },
  size: ({ fd }) => fs.fstatSync(fd).size,
  close({ fd, path }) {
    let isEmpty = false;
    try { isEmpty = fs.fstatSync(fd).size === 0; } finally { fs.closeSync(fd); }
    if (isEmpty) fs.rmSync(path, { force: true });
  },
};
parentPort.on("message", ({ id, name, input }) => {
  try {
    parentPort.postMessage({ id, result: calls[name](input) });
  } catch (error) {
    const { message, code, errno, syscall } = error;
    parentPort.postMessage({ id, error: { message, code, errno, syscall } });
  }
});
`;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly id: number;
  readonly result: never;
  readonly error?: { readonly message: string };
}

/** One thread, started with the first call. It keeps the process alive while a call is under way, and only then. */
export class WriterThread {
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;

  /** `bytes` of an input are handed over: the caller cannot use them any more. Rejects with the system's error. */
  call<Name extends keyof Calls>(
    name: Name,
    input: Calls[Name]["input"],
  ): Promise<Calls[Name]["result"]> {
    const worker = (this.#worker ??= this.#start());
    const id = this.#nextId;
    this.#nextId += 1;
    if (this.#waiting.size === 0) worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      worker.postMessage({ id, name, input }, "bytes" in input ? [ownedBuffer(input.bytes)] : []);
    });
  }

  /** Ends the thread. One that waits for the kernel ends when the kernel answers. */
  end(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }

  #start(): Worker {
    const worker = new Worker(SOURCE, {
      eval: true,
      name: "ai-audit writer",
      env: SHARE_ENV, // a copy of it would be made otherwise
      execArgv: [], // loaders and hooks of the program are not for this thread
    });
    worker.on("message", ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
      if (error) waiting?.reject(Object.assign(new Error(error.message), error));
      else waiting?.resolve(result);
    });
    const fail = (error: Error): void => {
      if (this.#worker === worker) this.#worker = undefined;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("the writer thread has ended")));
    worker.unref();
    return worker;
  }
}

/** The buffer of bytes that fill it alone; a pooled one must not be handed over. */
function ownedBuffer(bytes: Uint8Array): ArrayBuffer {
  if (!(bytes.buffer instanceof ArrayBuffer)) throw new TypeError("bytes in shared memory");
  return bytes.buffer;
}
