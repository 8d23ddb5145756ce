// Loaded in place of the package where Node.js is missing: browsers, edge runtimes, workers.
throw Object.assign(
  new Error(
    "@ai-audit/ai-sdk needs Node.js 22.18 or later: it does not run in browsers, Cloudflare Workers and edge runtimes. Log from a Node.js server.",
  ),
  { code: "AUDIT_CONFIG_INVALID" },
);
