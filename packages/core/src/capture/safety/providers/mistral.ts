// Mistral: guardrails answer with 403 and this type.
// https://docs.mistral.ai/capabilities/guardrailing
import type { ProviderTable } from "../provider-table.ts";

export const mistral: ProviderTable = {
  vendor: "mistral",
  blocking: { guardrail_violation: undefined },
};
