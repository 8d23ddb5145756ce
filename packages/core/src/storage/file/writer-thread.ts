// The file calls of the write path, none of them on the event loop: a write(2) that hangs cannot be
// timed out. libuv's pool makes them; a thread of their own makes those that would take more than
// half of the pool, which also serves DNS look-ups and reading.
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
  /**
   * Appends; `sync` makes the bytes durable. Resolves to the state of the file after it. `isLocal`
   * as `isLocalDisk()` says.
   */
  append: {
    input: { fd: number; bytes: Uint8Array; sync: boolean; isLocal: boolean };
    result: FileStatus;
  };
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

// A string instead of a module, so that bundlers include it.
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

const open = promisify(fs.open);
const write = promisify(fs.write);
const fdatasync = promisify(fs.fdatasync);
const fstat = promisify(fs.fstat);
const close = promisify(fs.close);

/**
 * The same calls on libuv's pool. A lone commit takes as much CPU here as on the thread, and a fifth
 * less on a busy machine with `fsync`; and a thread takes 50 ms of CPU to start.
 */
const ON_POOL: {
  readonly [Name in keyof Calls]: (input: Calls[Name]["input"]) => Promise<Calls[Name]["result"]>;
} = {
  async create({ path, directory }) {
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL } = fs.constants;
    const fd = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
    try {
      if (directory !== undefined) await syncDirectory(directory);
      return fd;
    } catch (error) {
      await ON_POOL.close({ fd, path });
      throw error;
    }
  },
  async append({ fd, bytes, sync, isLocal }) {
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await write(fd, bytes, at);
      if (bytesWritten === 0)
        throw Object.assign(new Error("EIO: nothing was written, write"), { code: "EIO" });
      at += bytesWritten;
    }
    if (sync) await fdatasync(fd);
    const { size, nlink } = isLocal ? fs.fstatSync(fd) : await fstat(fd);
    return { size, names: nlink };
  },
  async wasMoved({ fd, path }) {
    const { ino } = await fs.promises.stat(path, { bigint: true }).catch(() => ({ ino: -1n }));
    return ino !== (await fstat(fd, { bigint: true })).ino;
  },
  size: async ({ fd }) => (await fstat(fd)).size,
  async close({ fd, path }) {
    let isEmpty = false;
    try {
      isEmpty = (await fstat(fd)).size === 0;
    } finally {
      await close(fd);
    }
    if (isEmpty) await fs.promises.rm(path, { force: true });
    return undefined;
  },
};

/** Deno gives each thread file descriptors of its own: there, all calls are made on the pool. */
const CAN_SHARE_DESCRIPTORS = process.versions["deno"] === undefined;

/**
 * Linux file systems that answer fstat(2) from memory: it then takes 2 µs on the event loop, and a
 * hand-over to the pool 30 µs. A server or a process (NFS, FUSE) may not answer. From
 * `linux/magic.h`: ext2–4, XFS, Btrfs, tmpfs, overlayfs, F2FS, ZFS.
 */
const LOCAL_FILE_SYSTEMS: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1,
]);

/** Whether a directory's file system answers fstat(2) without waiting for anybody. */
export async function isLocalDisk(directory: string): Promise<boolean> {
  if (process.platform !== "linux") return false;
  try {
    return LOCAL_FILE_SYSTEMS.has((await fs.promises.statfs(directory)).type);
  } catch {
    return false; // nobody knows: then it may be a slow one
  }
}

/** Half of libuv's threads, of which there are four by default. Deno has another pool. */
const MAX_ON_POOL = CAN_SHARE_DESCRIPTORS
  ? Math.floor(Number(process.env["UV_THREADPOOL_SIZE"] ?? 4) / 2)
  : Infinity;

/** Calls under way on the pool, of all writers: the pool is the process's. */
let onPool = 0;

async function callOnPool<Name extends keyof Calls>(
  name: Name,
  input: Calls[Name]["input"],
): Promise<Calls[Name]["result"]> {
  onPool += 1;
  try {
    return await ON_POOL[name](input);
  } finally {
    onPool -= 1;
  }
}

interface Waiting {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly id: number;
  readonly result: never;
  readonly error?: { readonly message: string };
}

/** Makes a writer's calls. It keeps the process alive while a call is under way, and only then. */
export class WriterThread {
  readonly #maxOnPool: number;
  /** Resolves to undefined where the process may have no threads. */
  #worker: Promise<Worker | undefined> | undefined;
  #hasFailed = false;
  #calls = 0;
  readonly #waiting = new Map<number, Waiting>();

  /**
   * @param options `maxOnPool`: calls of all writers on libuv's pool at a time. @default half of
   * its threads
   */
  constructor({ maxOnPool = MAX_ON_POOL }: { readonly maxOnPool?: number } = {}) {
    this.#maxOnPool = maxOnPool;
  }

  /** Makes a call; the caller waits for one before the next. Rejects with the system's error. */
  call<Name extends keyof Calls>(
    name: Name,
    input: Calls[Name]["input"],
  ): Promise<Calls[Name]["result"]> {
    return onPool < this.#maxOnPool ? callOnPool(name, input) : this.#callOnThread(name, input);
  }

  /** Ends the thread. One that waits for the kernel ends when the kernel answers. */
  end(): void {
    void this.#worker?.then((worker) => worker?.terminate());
    this.#worker = undefined;
  }

  async #callOnThread<Name extends keyof Calls>(
    name: Name,
    input: Calls[Name]["input"],
  ): Promise<Calls[Name]["result"]> {
    this.#worker ??= this.#start();
    const worker = await this.#worker;
    if (!worker || this.#hasFailed) return callOnPool(name, input);
    this.#calls += 1;
    const id = this.#calls;
    if (this.#waiting.size === 0) worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      if (!("bytes" in input)) return worker.postMessage({ id, name, input }, []);
      const bytes = new Uint8Array(input.bytes); // posted as they are, all of their buffer would go
      worker.postMessage({ id, name, input: { ...input, bytes } }, [bytes.buffer]);
    });
  }

  /** Without a thread (Node's `--permission` may forbid it), the pool makes all calls. */
  async #start(): Promise<Worker | undefined> {
    const { promise: started, resolve } = Promise.withResolvers<Worker | undefined>();
    let worker: Worker;
    try {
      worker = new Worker(SOURCE, {
        eval: true,
        name: "ai-audit writer",
        env: SHARE_ENV, // a copy of it would be made otherwise
        trackUnmanagedFds: false, // descriptors may come from the pool
        execArgv: [], // loaders and hooks of the program are not for this thread
      });
    } catch {
      return undefined;
    }
    worker.on("message", ({ id, result, error }: Answer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
      if (error) waiting?.reject(Object.assign(new Error(error.message), error));
      else waiting?.resolve(result);
    });
    const fail = (error: Error): void => {
      this.#hasFailed = true;
      resolve(undefined);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    };
    worker.on("online", () => {
      worker.unref();
      resolve(worker);
    });
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("the writer thread has ended")));
    return started;
  }
}
