import { describe, expect, it } from "vitest";
import { requireNode } from "../src/runtime.ts";

describe("requireNode()", () => {
  it.each(["20.19.0", "22.17.9", "18.0.0"])("refuses %s in one sentence", (version) => {
    expect(() => requireNode(version)).toThrow(
      expect.objectContaining({
        code: "AUDIT_CONFIG_INVALID",
        message: `ai-audit needs Node 22.18 or later; this is ${version}`,
      }),
    );
  });

  it.each(["22.18.0", "23.0.0", "24.21.0", "26.1.0"])("takes %s", (version) => {
    expect(() => requireNode(version)).not.toThrow();
  });
});
