import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { OPTIONS, post, surfaceFor } from "./wire.ts";

const bytesOf = (vector: Float32Array): Buffer => Buffer.from(vector.buffer);

describe("embeddings", () => {
  const request = post("/embeddings", { model: "e", input: ["a", "b"], dimensions: 3 });
  const embeddings = surfaceFor(request);
  const vectors = [Float32Array.from([0.5, -1, 2]), Float32Array.from([1, 2, 3])];
  const digest = {
    count: 2,
    dimensions: 3,
    sha256: createHash("sha256")
      .update(Buffer.concat(vectors.map(bytesOf)))
      .digest("hex"),
  };
  const body = (encode: (vector: Float32Array) => unknown): object => ({
    object: "list",
    model: "e-1",
    data: vectors.map((vector, index) => ({
      object: "embedding",
      index,
      embedding: encode(vector),
    })),
    usage: { prompt_tokens: 2, total_tokens: 2 },
  });

  it("hold the input", () => {
    expect(embeddings.request(request, OPTIONS)).toMatchObject({
      input: ["a", "b"],
      parameters: { dimensions: 3 },
    });
  });

  it.each([
    ["numbers", body((vector) => [...vector])],
    ["base64", body((vector) => bytesOf(vector).toString("base64"))],
  ])("hold count, dimensions and the same digest of the vectors, sent as %s", (_, answer) => {
    expect(embeddings.response(answer, OPTIONS)).toEqual({
      output: digest,
      responseModel: "e-1",
      inputTokens: 2,
      usage: { source: "reported" },
    });
    expect(embeddings.response(answer, { ...OPTIONS, captureEmbeddings: true }).output).toEqual({
      ...digest,
      vectors: [
        [0.5, -1, 2],
        [1, 2, 3],
      ],
    });
  });
});
