// The thread that makes the file calls of the write path. A blocked write(2) cannot be timed out,
// and on the event loop it would stop the application; on libuv's pool four of them would stop its
// DNS look-ups.
import * as fs from "node:fs";
import { promisify } from "node:util";
import { SHARE_ENV, Worker } from "node:worker_threads";
import { syncDirectory } from "../../files.ts";

/** The calls, their input and result. Each runs to its end before the next one begins. */
interface Calls {
  /**
   * Makes a file that must not exist; `directory` is synced where it is given. Resolves to the
   * descriptor.
   */
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

// A string instead of a module, so that bundlers include it. `append` makes three calls in one
// message; a message costs 46 µs of CPU, a FileHandle's call 39 µs.
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

/**
 * The same calls on libuv's pool, for the first ones: a thread takes some 50 ms of CPU to start.
 */
const ON_POOL: {
  readonly [Name in keyof Calls]: (input: Calls[Name]["input"]) => Promise<Calls[Name]["result"]>;
} = {
  async create({ path, directory }) {
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = fs.constants;
    const fd = await promisify(fs.open)(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
    try {
      if (directory !== undefined) await syncDirectory(directory);
      return fd;
    } catch (error) {
      await ON_POOL.close({ fd, path });
      throw error;
    }
  },
  async append({ fd, bytes, sync }) {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await promisify(fs.write)(fd, bytes, at);
      if (bytesWritten === 0)
        throw Object.assign(new Error("EIO: nothing was written, write"), { code: "EIO" });
      at += bytesWritten;
    }
    if (sync) await promisify(fs.fdatasync)(fd);
    const { size, nlink } = await promisify(fs.fstat)(fd);
    return { size, names: nlink };
  },
  async wasMoved({ fd, path }) {
    const { ino } = await fs.promises.stat(path, { bigint: true }).catch(() => ({ ino: -1n }));
    return ino !== (await promisify(fs.fstat)(fd, { bigint: true })).ino;
  },
  size: async ({ fd }) => (await promisify(fs.fstat)(fd)).size,
  async close({ fd, path }) {
    let isEmpty = false;
    try {
      isEmpty = (await promisify(fs.fstat)(fd)).size === 0;
    } finally {
      await promisify(fs.close)(fd);
    }
    if (isEmpty) await fs.promises.rm(path, { force: true });
    return undefined;
  },
};

/** A short-lived process makes fewer calls, and never starts a thread. */
const CALLS_ON_POOL = 10;
/** Deno gives each thread file descriptors of its own: there, all calls are made on the pool. */
const CAN_SHARE_DESCRIPTORS = process.versions["deno"] === undefined;

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly id: number;
  readonly result: never;
  readonly error?: { readonly message: string };
}

/** One thread. It keeps the process alive while a call is under way, and only then. */
export class WriterThread {
  #worker: Worker | undefined;
  #isOnline = false;
  #calls = 0;
  readonly #waiting = new Map<number, Waiting>();

  /**
   * Makes a call; the caller waits for one before the next. `bytes` of an input are transferred:
   * the caller cannot use them any more. Rejects with the system's error.
   */
  call<Name extends keyof Calls>(
    name: Name,
    input: Calls[Name]["input"],
  ): Promise<Calls[Name]["result"]> {
    this.#calls += 1;
    if (this.#calls === CALLS_ON_POOL && CAN_SHARE_DESCRIPTORS) this.#worker = this.#start();
    const worker = this.#worker;
    if (!worker || !this.#isOnline) return ON_POOL[name](input);
    const id = this.#calls;
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
    this.#isOnline = false;
  }

  #start(): Worker {
    const worker = new Worker(SOURCE, {
      eval: true,
      name: "ai-audit writer",
      env: SHARE_ENV, // a copy of it would be made otherwise
      trackUnmanagedFds: false, // descriptors may come from the pool
      execArgv: [], // loaders and hooks of the program are not for this thread
    });
    worker.on("message", ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
      if (error) waiting?.reject(Object.assign(new Error(error.message), error));
      else waiting?.resolve(result);
    });
    // Without a thread (one may be forbidden), the pool goes on.
    const fail = (error: Error): void => {
      if (this.#worker === worker) this.#isOnline = false;
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on("online", () => (this.#isOnline = this.#worker === worker));
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("the writer thread has ended")));
    worker.unref();
    return worker;
  }
}

/** The buffer of bytes that fill it alone; a pooled one must not be transferred. */
function ownedBuffer(bytes: Uint8Array): ArrayBuffer {
  if (!(bytes.buffer instanceof ArrayBuffer)) throw new TypeError("bytes in shared memory");
  return bytes.buffer;
}
