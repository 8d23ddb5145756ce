// The file calls of the write path, on libuv's pool and on a thread.
import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, openSync } from "node:fs";
import { open, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { rejected } from "@ai-audit/test-support/caught";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";
import { describe, expect, it, onTestFinished } from "vitest";
import { isLocalDisk, WriterThread } from "../../../src/storage/file/writer-thread.ts";

function threadOf(maxOnPool: number): WriterThread {
  const thread = new WriterThread({ maxOnPool });
  onTestFinished(() => thread.end());
  return thread;
}

async function fileOf(
  thread: WriterThread,
): Promise<{ directory: string; path: string; fd: number }> {
  const directory = await temporaryDirectory();
  const path = join(directory, "file");
  return { directory, path, fd: await thread.call("create", { path, directory }) };
}

describe.each([
  { where: "libuv's pool", maxOnPool: 1 },
  { where: "a thread", maxOnPool: 0 },
])("On $where, the writer", ({ maxOnPool }) => {
  it("makes a file for its owner alone, and never one that is there", async () => {
    const thread = threadOf(maxOnPool);
    const { directory, path } = await fileOf(thread);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await rejected(thread.call("create", { path, directory }))).toMatchObject({
      code: "EEXIST",
      syscall: "open",
    });
  });

  it.each([
    { sync: true, isLocal: true },
    { sync: true, isLocal: false },
    { sync: false, isLocal: true },
    { sync: false, isLocal: false },
  ])("appends, and tells the state of the file: %o", async (how) => {
    const thread = threadOf(maxOnPool);
    const { path, fd } = await fileOf(thread);
    const bytes = Buffer.alloc(9 * 2 ** 20, "line\n");
    for (const part of [bytes.subarray(0, 5), bytes.subarray(5)])
      expect(await thread.call("append", { fd, bytes: part, ...how })).toMatchObject({ names: 1 });
    expect((await readFile(path)).equals(bytes)).toBe(true);
    expect(await thread.call("size", { fd })).toBe(bytes.length);
    await unlink(path);
    const state = await thread.call("append", { fd, bytes: bytes.subarray(0, 5), ...how });
    expect(state).toEqual({ size: bytes.length + 5, names: 0 });
    await thread.call("close", { fd, path });
  });

  it("sees that another file, or none, has the name", async () => {
    const thread = threadOf(maxOnPool);
    const { path, fd } = await fileOf(thread);
    expect(await thread.call("wasMoved", { fd, path })).toBe(false);
    await rename(path, `${path}.1`);
    expect(await thread.call("wasMoved", { fd, path })).toBe(true);
    await writeFile(path, "");
    expect(await thread.call("wasMoved", { fd, path })).toBe(true);
  });

  it.each([
    { bytes: "", isThere: false },
    { bytes: "line\n", isThere: true },
  ])("closes a file, and removes an empty one: $bytes", async ({ bytes, isThere }) => {
    const thread = threadOf(maxOnPool);
    const { path, fd } = await fileOf(thread);
    if (bytes !== "")
      await thread.call("append", { fd, bytes: Buffer.from(bytes), sync: false, isLocal: true });
    await thread.call("close", { fd, path });
    expect(
      await stat(path).then(
        () => true,
        () => false,
      ),
    ).toBe(isThere);
    expect(await rejected(thread.call("size", { fd }))).toMatchObject({ code: "EBADF" });
  });
});

describe.skipIf(process.platform === "win32")("Writes that hang", () => {
  it("take at most half of libuv's pool, whatever the number of writers", async () => {
    const path = join(await temporaryDirectory(), "pipe");
    execFileSync("mkfifo", [path]);
    const fd = openSync(path, constants.O_RDWR); // a pipe that is full blocks write(2)
    onTestFinished(() => closeSync(fd));
    const size = 2 ** 20;
    const threads = Array.from({ length: 6 }, () => new WriterThread());
    let ended = 0;
    const writes = threads.map(async (thread) => {
      const bytes = Buffer.alloc(size);
      await thread.call("append", { fd, bytes, sync: false, isLocal: false });
      ended += 1;
    });

    // Each of these takes a thread of the pool.
    for (let at = 0; at < 20; at += 1) await (await open(import.meta.filename)).close();
    expect(ended).toBe(0);

    const reader = spawn("head", ["-c", String(threads.length * size), path], { stdio: "ignore" });
    onTestFinished(() => void reader.kill("SIGKILL"));
    await Promise.all(writes);
    for (const thread of threads) thread.end();
  });
});

describe.runIf(process.platform === "linux")("A file system", () => {
  it.each([
    { directory: "/proc", answer: false },
    { directory: "/dev/shm", answer: true },
    { directory: "/nowhere", answer: false },
  ])("of $directory is local: $answer", async ({ directory, answer }) => {
    expect(await isLocalDisk(directory)).toBe(answer);
  });
});

describe("A process that may have no threads", () => {
  it("writes on libuv's pool, although that has no room for writers", async () => {
    const path = await temporaryDirectory();
    const script = join(import.meta.dirname, "children", "log-without-threads.ts");
    const output = execFileSync(
      process.execPath,
      ["--permission", "--allow-fs-read=*", "--allow-fs-write=*", script, path],
      { encoding: "utf8", env: { ...process.env, UV_THREADPOOL_SIZE: "1" } },
    );
    expect(JSON.parse(output)).toEqual({ thread: "ERR_ACCESS_DENIED", entries: 20 });
  });
});
