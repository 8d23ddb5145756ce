// An ES module program to be bundled: no optional peer is installed.
import * as core from "@ai-audit/core";
import * as anthropicWrapper from "@ai-audit/anthropic";
import * as handler from "@ai-audit/langchain-callback";
import * as wrapper from "@ai-audit/openai-wrapper";
import * as anthropic from "@anthropic-ai/sdk";
import * as prompts from "@langchain/core/prompts";
import * as langchain from "@langchain/openai";
import * as openai from "openai";
import { scenario } from "./scenario.mjs";

const claude = { wrapper: anthropicWrapper, sdk: anthropic };
const packages = { core, handler, wrapper, claude, prompts, langchain, openai };
scenario(packages).then((log) => console.log(JSON.stringify(log)));
