// Facts and figures of entries: @ai-audit/viewer/figures. The command, the report and the viewer
// count with the same functions.
export {
  actorOf,
  agentOf,
  beganAt,
  type Decision,
  decisionOf,
  flagsOf,
  interruptsOf,
  isDuplicate,
  isEvent,
  type OutcomeClass,
  outcomeClass,
  safetyVerdictOf,
  targetOf,
  toolOf,
} from "./call.ts";
export { Histogram } from "./histogram.ts";
export { type GroupFigures, Statistics } from "./statistics.ts";
