// embeddings: POST /embeddings
import { createHash } from "node:crypto";
import {
  type Fields,
  type JsonValue,
  fieldsOf,
  listOf,
  mergeFields,
  parametersOf,
  snapshot,
  usageFields,
} from "@ai-audit/core/capture";
import {
  envelopeFields,
  requestFields,
  responseFields,
  type SurfaceDefinition,
} from "@ai-audit/core/sdk";

export const embeddings: SurfaceDefinition = {
  operation: "embeddings",
  list: "data",
  request(body, options) {
    const { model, input } = body;
    return requestFields(snapshot(input ?? ""), { model, parameters: parametersOf(body) }, options);
  },
  response(body, options) {
    const fields = fieldsOf(body);
    const data = listOf(fields["data"]).map(fieldsOf);
    const digest = digestVectors(data);
    const output = options.captureEmbeddings ? { ...digest, vectors: data.map(vectorOf) } : digest;
    return mergeFields(
      responseFields(output, { body }, options),
      usageFields(fields["usage"]),
      envelopeFields(fields),
    );
  },
};

/**
 * Count and dimensions of the vectors, and the SHA-256 of all their numbers in their order, as
 * little-endian 32-bit floats: the same for `encoding_format` `float` and `base64`.
 */
function digestVectors(data: readonly Fields[]): { readonly [key: string]: JsonValue } {
  const sha256 = createHash("sha256");
  let dimensions: number | null = null;
  for (const item of data) {
    const bytes = floatBytes(item["embedding"]);
    dimensions ??= bytes.byteLength / Float32Array.BYTES_PER_ELEMENT;
    sha256.update(bytes);
  }
  return { count: data.length, dimensions, sha256: sha256.digest("hex") };
}

function floatBytes(embedding: unknown): Uint8Array {
  if (typeof embedding === "string") return Buffer.from(embedding, "base64");
  const numbers = listOf(embedding);
  const bytes = Buffer.alloc(numbers.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, number] of numbers.entries()) {
    bytes.writeFloatLE(
      typeof number === "number" ? number : Number.NaN,
      index * Float32Array.BYTES_PER_ELEMENT,
    );
  }
  return bytes;
}

function vectorOf({ embedding }: Fields): JsonValue {
  if (typeof embedding !== "string") return snapshot(embedding);
  const bytes = Buffer.from(embedding, "base64");
  const count = Math.floor(bytes.byteLength / Float32Array.BYTES_PER_ELEMENT);
  return Array.from({ length: count }, (_, index) =>
    bytes.readFloatLE(index * Float32Array.BYTES_PER_ELEMENT),
  );
}
