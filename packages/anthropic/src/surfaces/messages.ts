// messages: POST /v1/messages, POST /v1/messages/count_tokens
import {
  defined,
  type Fields,
  fieldsOf,
  isEmpty,
  type JsonValue,
  listOf,
  parametersOf,
  pickStated,
  snapshot,
  textOf,
  withoutSecrets,
  withoutToolSecrets,
} from "@ai-audit/core/capture";
import { type ExtractOptions, requestFields, responseFields } from "@ai-audit/core/sdk";
import type { SurfaceDefinition } from "@ai-audit/core/sdk";
import { messageFields } from "./message.ts";
import { MessageCollector } from "./messages-stream.ts";

/** Members that the model sees besides the messages. */
const SEEN = ["system", "tools", "mcp_servers", "output_config", "output_format"];

/** Members that the entry holds, beside those of every provider's requests. */
const MEMBERS = [
  ...SEEN,
  "anthropic_beta",
  "anthropic_version",
  "cache_control",
  "container",
  "fallback_credit_token",
  "fallbacks",
  "previous_message_id",
  "thread",
  "user_profile_id",
];

export const messages: SurfaceDefinition = {
  operation: "chat",
  list: "content",
  members: MEMBERS,
  request,
  response: (body, options) => messageFields(fieldsOf(body), options),
  stream: (options) => new MessageCollector(options),
};

export const tokenCount: SurfaceDefinition = {
  operation: "count_tokens",
  members: MEMBERS,
  request,
  // The provider counts and answers nothing: this is no usage.
  response: (body, options) => responseFields(snapshot(body ?? ""), { body }, options),
};

function request(body: Fields, options: ExtractOptions): ReturnType<typeof requestFields> {
  const about = { model: body["model"], parameters: parametersIn(body) };
  return requestFields(inputOf(body), about, options);
}

/** The content of a request: a lone question as text, everything else in its own shape. */
export function inputOf(body: Fields): JsonValue {
  const { messages: given } = body;
  const seen = pickStated(body, SEEN);
  if (!isEmpty(seen)) {
    // The servers' keys are in the body.
    const { mcp_servers: servers, ...rest } = seen;
    const kept =
      servers === undefined ? rest : { ...rest, mcp_servers: withoutSecrets(snapshot(servers)) };
    return withoutToolSecrets(snapshot({ messages: given, ...kept }));
  }
  const [message, ...more] = listOf(given);
  const { role, content, ...rest } = fieldsOf(message);
  if (role === "user" && typeof content === "string" && more.length === 0 && isEmpty(rest))
    return snapshot(content);
  return snapshot(given ?? "");
}

function parametersIn({ output_format: format, ...body }: Fields): Fields {
  const config = fieldsOf(body["output_config"]);
  const { container, cache_control: cache, thread } = body;
  return {
    ...parametersOf(body),
    ...defined({
      response_format:
        textOf(fieldsOf(format)["type"]) ?? textOf(fieldsOf(config["format"])["type"]),
      reasoning_effort: textOf(config["effort"]),
      mcp_servers: namesIn(body["mcp_servers"], "name"),
      fallbacks: namesIn(body["fallbacks"], "model"),
      betas: namesIn(body["anthropic_beta"]),
      cache_control: isEmpty(cache) ? undefined : snapshot(cache),
      container: textOf(container) ?? textOf(fieldsOf(container)["id"]),
      skills: namesIn(fieldsOf(container)["skills"], "skill_id"),
      previous_message_id: textOf(body["previous_message_id"]),
      thread: textOf(fieldsOf(thread)["type"]),
    }),
  };
}

/** The strings of a list, or the named member of its objects. */
function namesIn(list: unknown, member?: string): readonly string[] | undefined {
  const names = listOf(list).flatMap(
    (item) => textOf(member === undefined ? item : fieldsOf(item)[member]) ?? [],
  );
  return names.length === 0 ? undefined : names;
}
