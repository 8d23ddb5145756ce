// A route of a Next.js application that does what the other programs do.
import * as core from "@ai-audit/core";
import * as handler from "@ai-audit/langchain-callback";
import * as wrapper from "@ai-audit/openai-wrapper";
import * as prompts from "@langchain/core/prompts";
import * as langchain from "@langchain/openai";
import * as openai from "openai";
import { scenario } from "../../../scenario.mjs";

export const dynamic = "force-dynamic";

export async function GET() {
  try {
    const packages = { core, handler, wrapper, prompts, langchain, openai };
    return Response.json(await scenario(packages));
  } catch (error) {
    return new Response(String(error?.stack ?? error), { status: 500 });
  }
}
