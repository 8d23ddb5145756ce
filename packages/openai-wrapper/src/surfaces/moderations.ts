// moderations: POST /moderations. A flagged result is a finding about the input, not a block.
import { fieldsOf, listOf, mergeFields, parametersOf, snapshot } from "@ai-audit/core/capture";
import {
  envelopeFields,
  requestFields,
  responseFields,
  type SurfaceDefinition,
} from "@ai-audit/core/sdk";

export const moderations: SurfaceDefinition = {
  operation: "moderations",
  list: "results",
  request(body, options) {
    const { model, input } = body;
    const [part, ...more] = listOf(input);
    const { type, text } = fieldsOf(part);
    const sole =
      more.length > 0
        ? input
        : type === "text" && typeof text === "string"
          ? text
          : (part ?? input);
    const content = typeof sole === "string" ? sole : input;
    return requestFields(
      snapshot(content ?? ""),
      { model, parameters: parametersOf(body) },
      options,
    );
  },
  response(body, options) {
    const fields = fieldsOf(body);
    const output = snapshot(fields["results"] ?? "");
    return mergeFields(responseFields(output, { body }, options), envelopeFields(fields));
  },
};
