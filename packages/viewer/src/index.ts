// @ai-audit/viewer: pages and reports that verify what they show.
export { checkPage, type PageCheck } from "./page/check.ts";
export { MAX_PAGE_ENTRIES, PageCollector, type PageFacts } from "./page/collect.ts";
export type { PageData, PageEntry } from "./page/data.ts";
export { PAGE_SCRIPT_SHA256, renderPage } from "./page/page.ts";
export { startViewer, type Viewer, type ViewerOptions } from "./server/serve.ts";
export type { LogToView } from "./server/opened-log.ts";
export { CHECK_IDS, type CheckId, type CheckResult, type CheckState } from "./report/check.ts";
export type { Evidence } from "./report/evidence.ts";
export { reportToHtml } from "./report/html.ts";
export { reportToMarkdown } from "./report/markdown.ts";
export { reportToOscal } from "./report/oscal.ts";
export {
  loadProfile,
  parseProfile,
  type Profile,
  PROFILE_NAMES,
  type ProfileName,
  type Requirement,
} from "./report/profile.ts";
export {
  createReport,
  type JudgedRequirement,
  type Report,
  type ReportedLog,
  type ReportOptions,
  type RequirementState,
} from "./report/report.ts";
