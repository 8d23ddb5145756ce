// An ES module program with every package.
import * as core from "@ai-audit/core";
import * as s3 from "@ai-audit/core/s3";
import * as sql from "@ai-audit/core/sql";
import * as aiSdkWrapper from "@ai-audit/ai-sdk";
import * as anthropicWrapper from "@ai-audit/anthropic";
import * as handler from "@ai-audit/langchain-callback";
import * as wrapper from "@ai-audit/openai-wrapper";
import * as anthropic from "@anthropic-ai/sdk";
import * as prompts from "@langchain/core/prompts";
import * as langchain from "@langchain/openai";
import * as ai from "ai";
import * as openai from "openai";
import { scenario } from "./scenario.mjs";

const claude = { wrapper: anthropicWrapper, sdk: anthropic };
const aiSdk = { wrapper: aiSdkWrapper, ai };
const packages = { core, s3, sql, handler, wrapper, claude, aiSdk, prompts, langchain, openai };
console.log(JSON.stringify(await scenario(packages)));
