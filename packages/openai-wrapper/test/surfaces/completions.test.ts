import { describe, expect, it } from "vitest";
import { collect, OPTIONS, post, surfaceFor } from "./wire.ts";

const choice = (text: string, index: number): object => ({
  text,
  index,
  logprobs: null,
  finish_reason: "stop",
});
const piece = (text: string, index: number, finish: string | null = null): object => ({
  id: "cmpl_1",
  choices: [{ text, index, logprobs: null, finish_reason: finish }],
});

describe("completions", () => {
  const request = post("/completions", { model: "m", prompt: "Once" });
  const completions = surfaceFor(request);

  it.each([
    [{ prompt: "Once" }, "Once"],
    [{ prompt: ["Once"] }, "Once"],
    [{ prompt: ["Once", "Twice"] }, ["Once", "Twice"]],
    [{ prompt: [1, 2, 3] }, [1, 2, 3]],
    [
      { prompt: "Once", suffix: "end" },
      { prompt: "Once", suffix: "end" },
    ],
  ])("hold the prompt: %j", (body, input) => {
    expect(completions.request(post("/completions", body), OPTIONS).input).toEqual(input);
  });

  it("hold one text, or a list of them", () => {
    expect(completions.response({ id: "cmpl_1", choices: [choice("upon", 0)] }, OPTIONS)).toEqual({
      output: "upon",
      responseId: "cmpl_1",
      finishReasons: ["stop"],
    });
    expect(
      completions.response({ choices: [choice("a", 0), choice("b", 1)] }, OPTIONS).output,
    ).toEqual(["a", "b"]);
  });

  it("amount to the same when they are streamed", () => {
    const collector = collect(request, [
      piece("a", 0),
      piece("b", 1),
      piece("a", 0, "stop"),
      piece("", 1, "length"),
    ]);
    expect(collector.terminal).toBe(true);
    expect(collector.result()).toEqual({
      output: ["aa", "b"],
      responseId: "cmpl_1",
      finishReasons: ["stop", "length"],
    });
  });
});
