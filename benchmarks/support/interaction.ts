// The entry that all benchmarks write: 1 KB in, 1 KB out.

const text = (seed: string): string => seed.repeat(Math.ceil(1024 / seed.length)).slice(0, 1024);

export const INTERACTION = {
  input: text("What is the capital of France? "),
  output: text("Paris is the capital of France. "),
  provider: "openai",
  model: "gpt-4o-mini",
  conversationId: "conv-1",
  latencyMs: 180.5,
  inputTokens: 256,
  outputTokens: 256,
  metadata: { user_id: "u-17" },
};
