// The provider at a host, in OpenTelemetry's spelling of `gen_ai.provider.name`.
// https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/
import type { Server } from "../format/entry.ts";

/** Hosts, or ends of hosts, by provider. */
const HOSTS: readonly (readonly [host: RegExp, provider: string])[] = [
  [/(?:^|\.)api\.openai\.com$/, "openai"],
  [/\.(?:openai|cognitiveservices|services\.ai)\.azure\.(?:com|us|cn)$/, "azure.ai.openai"],
  [
    /\.(?:inference\.ml|models\.ai)\.azure\.com$|^models\.inference\.ai\.azure\.com$/,
    "azure.ai.inference",
  ],
  [/^bedrock-[a-z-]+\.[a-z\d-]+\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/, "aws.bedrock"],
  [/^generativelanguage\.googleapis\.com$/, "gcp.gemini"],
  [/(?:^|-)aiplatform\.googleapis\.com$/, "gcp.vertex_ai"],
  [/^api\.anthropic\.com$/, "anthropic"],
  [/^api\.mistral\.ai$/, "mistral_ai"],
  [/^api\.groq\.com$/, "groq"],
  [/^api\.deepseek\.com$/, "deepseek"],
  [/^api\.perplexity\.ai$/, "perplexity"],
  [/(?:^|\.)api\.x\.ai$/, "x_ai"],
  [/^api\.cohere\.(?:com|ai)$/, "cohere"],
  [/\.ml\.cloud\.ibm\.com$/, "ibm.watsonx.ai"],
  // Not among OpenTelemetry's names, in its manner of spelling:
  [/^openrouter\.ai$/, "openrouter"],
  [/^api\.together\.(?:xyz|ai)$/, "together_ai"],
  [/^api\.fireworks\.ai$/, "fireworks_ai"],
  [/^api\.cerebras\.ai$/, "cerebras"],
  [/^dashscope(?:-intl)?\.aliyuncs\.com$/, "alibaba_cloud"],
  [/^open\.bigmodel\.cn$|^api\.z\.ai$/, "zhipu_ai"],
  [/^api\.moonshot\.(?:ai|cn)$/, "moonshot_ai"],
  [/^router\.huggingface\.co$/, "hugging_face"],
];

/** The provider that answers at a host; undefined for a host that is not known, such as a proxy. */
export function providerOfHost(host: string): string | undefined {
  return HOSTS.find(([pattern]) => pattern.test(host))?.[1];
}

/** Host and port. A call's URL was parsed by its client already; doing so again takes longer. */
const AUTHORITY =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?(\[[^\]/]+\]|[^/?#:@]+)(?::(\d+))?(?=[/?#]|$)/i;

/**
 * The server in a URL; undefined when it names none. The port only where it is not the scheme's.
 */
export function serverOf(url: string): Server | undefined {
  const [, address, port] = AUTHORITY.exec(url) ?? [];
  if (address === undefined) return undefined;
  return port === undefined ? { address } : { address, port: Number(port) };
}
