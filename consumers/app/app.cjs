// A CommonJS program with every package.
const core = require("@ai-audit/core");
const s3 = require("@ai-audit/core/s3");
const sql = require("@ai-audit/core/sql");
const anthropicWrapper = require("@ai-audit/anthropic");
const handler = require("@ai-audit/langchain-callback");
const wrapper = require("@ai-audit/openai-wrapper");
const anthropic = require("@anthropic-ai/sdk");
const prompts = require("@langchain/core/prompts");
const langchain = require("@langchain/openai");
const openai = require("openai");
const { scenario } = require("./scenario.mjs");

const claude = { wrapper: anthropicWrapper, sdk: anthropic };
const packages = { core, s3, sql, handler, wrapper, claude, prompts, langchain, openai };
scenario(packages).then((log) => console.log(JSON.stringify(log)));
