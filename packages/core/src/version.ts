/** Name and version of this library, as `segment.open` records it. */
export const SDK = "@ai-audit/core/0.1.0";
