// The pictures are those that their sources draw.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PICTURES } from "../pictures/draw.ts";

describe("docs/pictures", () => {
  it.each(Object.entries(PICTURES))("%s is what its source draws", (name, drawn) => {
    expect(readFileSync(new URL(`../pictures/${name}`, import.meta.url), "utf8")).toBe(drawn);
  });
});
