import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { boundaryOf, MultipartReader } from "../../../src/capture/stream/multipart.ts";

const file = Buffer.concat([randomBytes(5000), Buffer.from("\r\n--other\r\n"), randomBytes(100)]);
const sha256 = createHash("sha256").update(file).digest("hex");

/** A form as the platform writes it. */
async function form(): Promise<{ readonly type: string; readonly bytes: Buffer }> {
  const data = new FormData();
  data.append("model", "whisper-1");
  data.append("include[]", "a");
  data.append("include[]", "b");
  data.append("file", new File([file], "ä.wav", { type: "audio/wav" }));
  data.append("prompt", "Namen");
  const response = new Response(data);
  const type = response.headers.get("content-type") ?? "";
  return { type, bytes: Buffer.from(await response.arrayBuffer()) };
}

describe("a form that goes by in pieces", () => {
  it.each([1, 7, 64, 4096, 1_000_000])("is read whole in pieces of %i bytes", async (size) => {
    const { type, bytes } = await form();
    const reader = new MultipartReader(boundaryOf(type) ?? "");
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
    expect(reader.value()).toEqual({
      model: "whisper-1",
      include: ["a", "b"],
      file: { name: "ä.wav", mime: "audio/wav", bytes: file.length, sha256 },
      prompt: "Namen",
    });
  });

  it("has what went by when it is cut", async () => {
    const { type, bytes } = await form();
    const reader = new MultipartReader(boundaryOf(type) ?? "");
    reader.push(bytes.subarray(0, 3000));
    expect(reader.value()).toMatchObject({ model: "whisper-1", file: { name: "ä.wav" } });
  });

  it.each(["application/json", "multipart/mixed; boundary=x", ""])(
    "is not one of another type: %j",
    (type) => {
      expect(boundaryOf(type)).toBeUndefined();
    },
  );
});
