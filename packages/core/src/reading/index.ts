// Entries as a reader wants them: filters, figures, transcripts, trees: @ai-audit/core/reading.
export {
  actorOf,
  agentOf,
  beganAt,
  type Decision,
  decisionOf,
  endingOf,
  flagsOf,
  interruptsOf,
  isDuplicate,
  isEvent,
  outcomeClass,
  type OutcomeClass,
  outcomeOf,
  safetyVerdictOf,
  targetOf,
  toolOf,
} from "./call.ts";
export { type Passage, type PassageOptions, passagesOf, titleOf } from "./call-text.ts";
export {
  buildTree,
  type CallNode,
  figuresOf,
  type PlacedNode,
  type RunStarted,
  type TreeFigures,
  walk,
} from "./call-tree.ts";
export { type ControlLineOptions, controlLines, type PlacedLine, timeOf } from "./control-lines.ts";
export { csvCell } from "./csv.ts";
export { Filter, type FilterConditions } from "./filter.ts";
export { groupingOf } from "./groupings.ts";
export { Histogram } from "./histogram.ts";
export { type Fact, factText, readFacts, summaryOf, type ToldLine } from "./log-facts.ts";
export {
  type ContentFailure,
  ContentOpener,
  errorMessage,
  type OpenedContent,
  type OpenedField,
} from "./opened-content.ts";
export { type Invocation, readEntries, readInvocation, readRuns, rootsOf } from "./read-calls.ts";
export { mayConcernReview, readReviews } from "./reviews.ts";
export {
  type FigureFacts,
  figureFactsOf,
  type GroupFigures,
  latencyBucketOf,
  Statistics,
} from "./statistics.ts";
export { textOf } from "./text-of.ts";
export { type Message, messagesOf, type ToolCall, Transcript } from "./transcript.ts";
