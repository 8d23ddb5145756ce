// Hosts that speak OpenAI's protocol with codes of their own.
import type { ProviderTable } from "../provider-table.ts";

/** https://help.aliyun.com/zh/model-studio/error-code */
export const alibaba: ProviderTable = {
  vendor: "alibaba",
  blocking: { data_inspection_failed: undefined, DataInspectionFailed: undefined },
};

/** https://docs.bigmodel.cn/api-reference: finish_reason */
export const zhipu: ProviderTable = {
  vendor: "zhipu",
  blocking: { sensitive: undefined },
};

/** https://docs.cohere.com/reference/chat: finish_reason */
export const cohere: ProviderTable = {
  vendor: "cohere",
  blocking: { ERROR_TOXIC: undefined },
};
