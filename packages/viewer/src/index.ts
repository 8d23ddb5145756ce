// @ai-audit/viewer: pages and reports that verify what they show.
export { checkPage, type PageCheck } from "./page/check.ts";
export { MAX_PAGE_ENTRIES, PageCollector, type PageFacts } from "./page/collect.ts";
export type { PageData, PageEntry } from "./page/data.ts";
export { PAGE_SCRIPT_SHA256, renderPage } from "./page/page.ts";
export { startViewer, type Viewer, type ViewerOptions } from "./server/serve.ts";
export type { LogToView } from "./server/opened-log.ts";
