// Reads evidence from others: a proof, a bundle. An attacker may have made it, so it takes bounded
// memory and no waiting.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { LineSplitter } from "@ai-audit/core/format";
import { EXIT, Failure, systemFailure } from "../failure.ts";

/** A page holds 160 MiB of lines, which their spelling in JSON makes twice as long at most. */
const MAX_PROOF_BYTES = 400 * 2 ** 20;
const CHUNK_BYTES = 2 ** 20;
const REMEDY = "proofs are written by: ai-audit prove";

/**
 * The text of a proof that the user named: a file, or a pipe.
 * @throws {Failure} not verified: there is no such file, or it is longer than any proof
 */
export async function readProof(path: string): Promise<string> {
  const handle = await opened(path, constants.O_RDONLY);
  try {
    return await textOf(chunksOf(handle), path);
  } finally {
    await handle.close();
  }
}

/** The text of a proof from standard input. See `readProof`. */
export async function readProofFrom(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  return textOf(stream, "standard input");
}

/**
 * The text of a file of a bundle.
 * @throws {Failure} not verified: it is no regular file, or longer than any such file
 */
export async function readBundleFile(path: string): Promise<string> {
  return (await readBundleBytes(path)).toString();
}

/**
 * The bytes of a file of a bundle.
 * @throws {Failure} not verified: it is no regular file, or longer than any such file
 */
export async function readBundleBytes(path: string): Promise<Buffer> {
  const handle = await openRegular(path);
  try {
    return await bytesOf(chunksOf(handle), path);
  } finally {
    await handle.close();
  }
}

/**
 * The lines of a file of a bundle. U+2028 ends none: a prompt may hold it.
 * @throws {Failure} not verified: it is no regular file, or a line is longer than any line
 */
export async function* readBundleLines(path: string): AsyncGenerator<string, void, void> {
  const handle = await openRegular(path);
  try {
    const splitter = new LineSplitter();
    for await (const chunk of chunksOf(handle)) {
      for (const { bytes, start, end } of splitter.push(chunk)) {
        const lines = bytes.toString("utf8", start, end).split("\n");
        yield* lines.slice(0, -1);
      }
    }
    const rest = splitter.rest().toString();
    if (rest !== "") yield rest;
    if (splitter.isCut) throw tooLong(path);
  } finally {
    await handle.close();
  }
}

/** Reading a pipe or a device that came with the evidence could block. */
async function openRegular(path: string): Promise<FileHandle> {
  const handle = await opened(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Failure(EXIT.notVerified, `no regular file: ${path}`, REMEDY);
}

async function opened(path: string, flags: number): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    const failure = systemFailure(error, path);
    if (failure === undefined) throw error;
    throw new Failure(EXIT.notVerified, failure.message, REMEDY, { cause: error });
  }
}

async function* chunksOf(handle: FileHandle): AsyncGenerator<Buffer, void, void> {
  for (;;) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array | string>, path: string): Promise<string> {
  return (await bytesOf(chunks, path)).toString();
}

async function bytesOf(chunks: AsyncIterable<Uint8Array | string>, path: string): Promise<Buffer> {
  const read: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const piece = Buffer.from(chunk);
    bytes += piece.length;
    if (bytes > MAX_PROOF_BYTES) throw tooLong(path);
    read.push(piece);
  }
  return Buffer.concat(read);
}

function tooLong(path: string): Failure {
  return new Failure(EXIT.notVerified, `longer than any proof or line can be: ${path}`, REMEDY);
}
