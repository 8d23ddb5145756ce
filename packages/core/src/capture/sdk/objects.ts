// Calls that create or change an object rather than ask a model: files, batches, jobs, and unlisted
// paths. Their entry holds the request's and the response's JSON, without credentials.
import type { JsonValue } from "../../format/canonical.ts";
import { providerErrorFields } from "../error-fields.ts";
import { type CapturedFields, mergeFields } from "../fields.ts";
import { parametersOf } from "../payload/parameters.ts";
import { fieldsOf, isEmpty, textOf } from "../payload/read.ts";
import { withoutSecrets } from "../payload/secrets.ts";
import { snapshot } from "../payload/snapshot.ts";
import { usageFields } from "../payload/usage.ts";
import type { ExtractOptions, SurfaceDefinition } from "./surface.ts";
import { envelopeFields, requestFields, responseFields } from "./surface-fields.ts";

/** A surface that keeps both objects as they are. */
export function objectSurface(operation: string): SurfaceDefinition {
  return {
    operation,
    keepsBody: true,
    request(body, options, request) {
      const content = isEmpty(body) && typeof request.body === "string" ? request.body : body;
      const parameters = { ...parametersOf(body), path: request.path };
      return requestFields(
        withoutSecrets(snapshot(content)),
        { model: body["model"], parameters },
        options,
      );
    },
    response(body, options) {
      const fields = fieldsOf(body);
      const { status, error } = fields;
      return mergeFields(
        keptFields(body, options),
        usageFields(fields["usage"]),
        envelopeFields(fields),
        { finishReasons: textOf(status) === undefined ? [] : [String(status)] },
        status === "failed" ? providerErrorFields(error, { codes: options.safetyCodes }) : {},
      );
    },
  };
}

/** A response as it came, without credentials. */
export function keptFields(body: unknown, options: ExtractOptions): CapturedFields {
  return responseFields(withoutSecrets(snapshot(body ?? "")), { body }, options);
}

/**
 * Keys, certificates and vaults: only the fact of the call. Their contents are credentials under
 * any name.
 */
export function administration(operation: string): SurfaceDefinition {
  const said: JsonValue = { omitted: "credentials" };
  return {
    operation,
    keepsBody: true,
    request: (_body, options, { path }) => requestFields(said, { parameters: { path } }, options),
    response: (_body, options) => responseFields(said, {}, options),
  };
}

/** The path without ids: `/videos/video_123/remix` → `/videos/{id}/remix`. */
export function operationOf(path: string): string {
  return path
    .split("/")
    .map((segment) =>
      /\d|[A-Z]|%|[-.]|^(?:[a-z]{2,12}_){1,2}[a-z]{16,}$/.test(segment) ? "{id}" : segment,
    )
    .join("/");
}
