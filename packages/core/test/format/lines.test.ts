import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eachLine, LineSplitter } from "../../src/format/lines.ts";

function split(chunks: readonly Buffer[]): { lines: string[]; offsets: number[]; rest: string } {
  const splitter = new LineSplitter();
  const lines: string[] = [];
  const offsets: number[] = [];
  for (const original of chunks) {
    const chunk = Buffer.from(original);
    for (const block of splitter.push(chunk)) {
      expect(block.start).toBeGreaterThanOrEqual(1);
      eachLine(block, (bytes, start, end) => {
        lines.push(bytes.toString("latin1", start, end));
        offsets.push(block.offset + start - block.start);
      });
    }
    chunk.fill(0xff); // a reader reuses its buffer
  }
  return { lines, offsets, rest: splitter.rest().toString("latin1") };
}

describe("the line splitter", () => {
  it("splits on 0x0A alone", () => {
    const text = "a\r\nb\u2028c\u0085d\u000Be\n\nf";
    const { lines, rest } = split([Buffer.from(text)]);
    expect(lines.map((line) => Buffer.from(line, "latin1").toString())).toEqual([
      "a\r",
      "b\u2028c\u0085d\u000Be",
      "",
    ]);
    expect(rest).toBe("f");
  });

  it("gives the same lines, offsets and rest however the bytes are cut into chunks", () => {
    const bytes = fc
      .array(fc.constantFrom(0x0a, 0x0a, 0x61, 0x62, 0xe2), { maxLength: 60 })
      .map((all) => Buffer.from(all));
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(20), { maxLength: 20 }), (all, cuts) => {
        const chunks: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) chunks.push(all.subarray(at, (at += cut)));
        chunks.push(all.subarray(at));
        const expected = all.toString("latin1").split("\n");
        const { lines, offsets, rest } = split(chunks);
        expect(rest).toBe(expected.pop());
        expect(lines).toEqual(expected);
        let offset = 0;
        for (const [index, line] of expected.entries()) {
          expect(offsets[index]).toBe(offset);
          offset += line.length + 1;
        }
      }),
    );
  });

  it("takes a line of 50 MB in small chunks", () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(64 * 1024, "x");
    for (let count = 0; count < 800; count += 1) expect(splitter.push(chunk)).toEqual([]);
    const [block] = splitter.push(Buffer.from("end\n"));
    expect(block?.bytes.byteLength).toBe(1 + 800 * 64 * 1024 + 4);
    expect(splitter.rest().byteLength).toBe(0);
  });

  it("keeps at most 64 MiB of a line, and nothing behind a longer one", () => {
    const splitter = new LineSplitter();
    const chunk = Buffer.alloc(2 ** 20, "x");
    for (let count = 0; count < 64; count += 1) splitter.push(chunk);
    expect(splitter.isCut).toBe(false);
    expect(splitter.rest().byteLength).toBe(64 * 2 ** 20);
    expect(splitter.push(chunk)).toEqual([]);
    expect(splitter.isCut).toBe(true);
    expect(splitter.push(Buffer.from("\n{}\n"))).toEqual([]);
    expect(splitter.rest().byteLength).toBe(0);
  });
});
