// The destination of a model's call: the server in its configuration, and the provider there.
import {
  type Fields,
  fieldsOf,
  firstText,
  listOf,
  providerOfHost,
  serverOf,
  textOf,
} from "@ai-audit/core/capture";

/** A provider's package of LangChain, by its `ls_provider`. */
interface Package {
  /** In OpenTelemetry's spelling of `gen_ai.provider.name`. */
  readonly provider: string;
  /** The vendor of codes that no safety table lists. @default the name of the package */
  readonly vendor?: string;
}

/**
 * Packages that report the reason of a stream's end: one of their streams without a reason was cut.
 */
const PACKAGES: Readonly<Record<string, Package>> = {
  amazon_bedrock: { provider: "aws.bedrock", vendor: "bedrock" },
  anthropic: { provider: "anthropic" },
  azure: { provider: "azure.ai.openai", vendor: "openai" },
  azure_openai: { provider: "azure.ai.openai", vendor: "openai" },
  google_genai: { provider: "gcp.gemini", vendor: "gemini" },
  google_vertexai: { provider: "gcp.vertex_ai", vendor: "gemini" },
  groq: { provider: "groq" },
  mistral: { provider: "mistral_ai" },
  ollama: { provider: "ollama" },
  openai: { provider: "openai" },
};

/** Members of a model's configuration that hold the address of the server, in their order. */
const ADDRESSES: readonly string[] = [
  "base_url",
  "openai_api_base",
  "anthropic_api_url",
  "server_url",
  "azure_endpoint",
  "azure_open_ai_endpoint",
  "endpoint",
  "endpoint_host",
];

/** The one that is called. */
export interface Destination {
  readonly provider: string | null;
  readonly server: ReturnType<typeof serverOf>;
  readonly vendor: string;
  /** LangChain reports why the streams of this package end. */
  readonly givesReasons: boolean;
}

/**
 * Reads host and port of the address that a model was configured with, and nothing else of its
 * configuration. The provider is that of the host: a model class may speak to any host. A model
 * without an address has its package's provider.
 */
export function destinationOf(metadata: Fields, serialized: unknown): Destination {
  const { id, kwargs } = fieldsOf(serialized);
  const names = listOf(id);
  const name = textOf(metadata["ls_provider"]) ?? textOf(names[names.length - 1]);
  const known = name === undefined ? undefined : PACKAGES[name];
  const server = addressIn(fieldsOf(kwargs));
  const provider = known?.provider ?? name ?? null;
  return {
    provider: server === undefined ? provider : (providerOfHost(server.address) ?? null),
    server,
    vendor: known?.vendor ?? name ?? "langchain",
    givesReasons: known !== undefined,
  };
}

function addressIn(kwargs: Fields): ReturnType<typeof serverOf> {
  const { configuration, client_options: options } = kwargs;
  const address = firstText(
    fieldsOf(configuration)["baseURL"],
    fieldsOf(options)["baseURL"],
    ...ADDRESSES.map((name) => kwargs[name]),
  );
  if (address === undefined) return undefined;
  return serverOf(address.includes("://") ? address : `https://${address}`);
}
