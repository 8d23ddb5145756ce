// What an application loads with each entry point, bundled without its dependencies' optional peers.
const external = [
  "@aws-sdk/*",
  "@duckdb/node-api",
  "openai",
  "@anthropic-ai/sdk",
  "@langchain/core",
];

/** Bundled for Node: the default is a browser. */
function forNode(config) {
  return { ...config, platform: "node", external };
}

export default [
  { name: "@ai-audit/core", path: "packages/core/dist/index.js", limit: "112 kB" },
  {
    name: "@ai-audit/openai-wrapper",
    path: "packages/openai-wrapper/dist/index.js",
    limit: "40 kB",
  },
  { name: "@ai-audit/anthropic", path: "packages/anthropic/dist/index.js", limit: "40 kB" },
  {
    name: "@ai-audit/langchain-callback",
    path: "packages/langchain-callback/dist/index.js",
    limit: "40 kB",
  },
  { name: "@ai-audit/ai-sdk", path: "packages/ai-sdk/dist/index.js", limit: "40 kB" },
  { name: "@ai-audit/mcp", path: "packages/mcp/dist/index.js", limit: "40 kB" },
].map((check) => ({ ...check, modifyEsbuildConfig: forNode }));
