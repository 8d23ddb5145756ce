// The beginning of an HTTP answer: a server that sends without end costs no memory.

/** The first bytes of an answer's body; more than `maxBytes` where it is longer. The rest is not read. */
export async function beginningOf(answer: Response, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxBytes) break; // cancels the body
  }
  return Buffer.concat(chunks);
}
