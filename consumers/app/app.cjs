// A CommonJS program with every package.
const core = require("@ai-audit/core");
const s3 = require("@ai-audit/core/s3");
const sql = require("@ai-audit/core/sql");
const handler = require("@ai-audit/langchain-callback");
const wrapper = require("@ai-audit/openai-wrapper");
const prompts = require("@langchain/core/prompts");
const langchain = require("@langchain/openai");
const openai = require("openai");
const { scenario } = require("./scenario.mjs");

const packages = { core, s3, sql, handler, wrapper, prompts, langchain, openai };
scenario(packages).then((log) => console.log(JSON.stringify(log)));
