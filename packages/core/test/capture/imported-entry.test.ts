import { EncryptionManager } from "@ai-audit/core";
import { importedId, importEntry } from "@ai-audit/core/capture";
import { lineToEntry } from "@ai-audit/core/format";
import { openContent } from "@ai-audit/core/verify";
import { describe, expect, it } from "vitest";

const [HELLO, HI] = [
  "185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969",
  "3639efcd08abb273b1619e82e78c29a7df02c1051b1820e99fc395dcaa3326b8",
];
const SOURCE = JSON.stringify({
  id: "840ff467-5a50-48b8-ae0f-efa737c56cc2",
  timestamp: "2026-11-23T07:02:20.115437",
  input_hash: HELLO,
  output_hash: HI,
  input_content: "Hello",
  output_content: null,
  alerts: ["seen"],
  metadata: { team: "web" },
});

function sourceEntry(): NonNullable<ReturnType<typeof lineToEntry>> {
  const entry = lineToEntry(SOURCE);
  if (entry === undefined) throw new Error("the source line is an entry");
  return entry;
}

describe("importEntry", () => {
  it("writes the line with the entry's own time, under an id made of it", () => {
    const { id, line, isAltered } = importEntry(sourceEntry(), { input: "Hello" }, { stream: "s" });
    expect(isAltered).toBe(false);
    expect(id).toBe(importedId(sourceEntry()));
    expect(line).toMatchInlineSnapshot(
      `"{"id":"01a20736-78d3-76fd-8c50-fb2ba88f0ef8","timestamp":"2026-11-23T07:02:20.115Z","input_hash":"185f8db32271fe25f561a6fc938b2e264306ec304eda518007d1764826381969","output_hash":"3639efcd08abb273b1619e82e78c29a7df02c1051b1820e99fc395dcaa3326b8","input_content":"Hello","output_content":null,"provider":null,"model":null,"conversation_id":null,"safety_passed":true,"detectors_triggered":[],"block_reason":null,"alerts":["seen"],"latency_ms":null,"input_tokens":null,"output_tokens":null,"metadata":{"team":"web","imported_id":"840ff467-5a50-48b8-ae0f-efa737c56cc2"}}"`,
    );
  });

  it("records in an alert that a content did not match its hash, and hashes what is there", () => {
    const { line, isAltered } = importEntry(sourceEntry(), { input: "Goodbye" }, { stream: "s" });
    expect(isAltered).toBe(true);
    expect(lineToEntry(line)).toMatchObject({
      inputContent: "Goodbye",
      alerts: ["seen", `ai-audit: imported input did not match its hash ${HELLO}`],
    });
  });

  it("encrypts contents for their new entry, under the key of the stream", () => {
    const encryption = new EncryptionManager();
    const { line } = importEntry(sourceEntry(), { input: "Hello" }, { stream: "s", encryption });
    const entry = lineToEntry(line);
    expect(entry).toMatchObject({
      kid: encryption.kidFor("s"),
      inputContent: expect.stringMatching(/^eyJ/) as string,
      inputHash: expect.stringMatching(/^hmac-sha256:/) as string,
      outputHash: HI, // only a hash is there: it is kept
    });
    expect(entry && openContent(entry, encryption)).toEqual({ input: "Hello", failures: {} });
  });
});
