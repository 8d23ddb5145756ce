// Segments computed from the format's text by another program in another language: ours must write
// the same bytes.
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ControlLine, formatControlLine } from "../../src/format/control-line.ts";
import { Segment, type SegmentOptions } from "../../src/storage/segment.ts";
import { Signer } from "../../src/seal/signer.ts";
import { verifyLog } from "../../src/log/verify-log.ts";
import { temporaryDirectory } from "@ai-audit/test-support/temporary-directory";

interface Vectors {
  readonly key: { readonly name: string; readonly pem: string; readonly vkey: string };
  /** Members, and the line they make. */
  readonly control: readonly { readonly members: ControlLine; readonly line: string }[];
  readonly segments: readonly {
    readonly title: string;
    readonly signed: boolean;
    readonly options: Omit<SegmentOptions, "signer">;
    readonly steps: readonly {
      readonly lines?: readonly string[];
      readonly close?: string;
      readonly written: readonly string[];
    }[];
    readonly ref: { readonly file: string; readonly size: number; readonly root: string };
  }[];
}

const { key, control, segments } = JSON.parse(
  readFileSync(new URL("../vectors/segments.json", import.meta.url), "utf8"),
) as Vectors;
const signer = Signer.fromPem(key.name, key.pem);

describe("the committed segment vectors", () => {
  it("have this key", () => {
    expect(signer.vkey).toBe(key.vkey);
  });

  it.each(control)("hold control lines as they are written: $members.type", ({ members, line }) => {
    expect(formatControlLine(members)).toBe(line);
  });

  it.each(segments)("are written byte for byte: $title", ({ signed, options, steps, ref }) => {
    const segment = new Segment({ ...options, ...(signed && { signer }) });
    for (const { lines, close, written } of steps) {
      const entries = (lines ?? []).filter((line) => !line.startsWith('{"type":')).length;
      const bytes = lines === undefined ? segment.close(close ?? "") : segment.seal(lines, entries);
      expect(bytes.toString()).toBe(written.map((line) => `${line}\n`).join(""));
    }
    expect(segment.ref()).toEqual(ref);
  });

  it.each(segments)("are verified: $title", async ({ signed, options, steps }) => {
    const directory = await temporaryDirectory();
    const lines = steps.flatMap(({ written }) => written);
    await writeFile(join(directory, options.file), lines.map((line) => `${line}\n`).join(""));
    const { files } = await verifyLog(directory, { trustedKeys: [key.vkey] });
    expect(files.find(({ file }) => file === options.file)?.state).toBe(signed ? "OK" : "UNSIGNED");
  });
});
