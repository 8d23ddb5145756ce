// The plain data that views show.
import type { AuditEntry, FileState, ReviewCase } from "@ai-audit/core";
import type { GroupFigures, OpenedField, OutcomeClass, TreeFigures } from "@ai-audit/core/reading";

/** The clear fields of an entry, for lists. */
export interface EntryRow {
  readonly id: string;
  /** RFC 3339. */
  readonly timestamp: string;
  readonly operation: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  /** The callee: tool, agent or model. */
  readonly target: string | null;
  readonly agent: string | null;
  readonly actor: string | null;
  readonly outcome: string;
  readonly ended: OutcomeClass;
  readonly safetyPassed: boolean;
  readonly detectors: readonly string[];
  /** The reason of a block. */
  readonly reason: string | null;
  readonly latencyMs: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly conversation: string | null;
  /** Root of the invocation. */
  readonly root: string | null;
  readonly subject: string | null;
  /** A finding of the verifier about the entry. */
  readonly mark?: ProofMark;
  /**
   * Whether a verification covered the entry and found nothing about it. False for one that is
   * newer, and for one in a file whose remainder could not be checked.
   */
  readonly isAsSealed: boolean;
}

/** A finding of the verifier about an entry. */
export interface ProofMark {
  readonly state: FileState;
  readonly file: string;
  readonly message: string;
}

/** A page of a list. */
export interface EntryPage {
  readonly total: number;
  readonly offset: number;
  readonly rows: readonly EntryRow[];
}

/** The state of the server's work. */
export interface ViewerState {
  readonly location: string;
  readonly version: string;
  /** Entries read so far. */
  readonly entries: number;
  /** Share of the log that was read, from 0 to 1. */
  readonly indexed: number;
  /** Share of the log that was verified; 1 once there is a verdict. */
  readonly verified: number;
  /** Whether contents can be decrypted. */
  readonly hasKeys: boolean;
  /** Whether each reveal is recorded as an audit entry. */
  readonly recordsAccess: boolean;
  /** RFC 3339. */
  readonly oldest: string | null;
  readonly newest: string | null;
}

/** A time range in equal steps. */
export interface Timeline {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly stepMs: number;
  readonly calls: readonly number[];
  readonly blocked: readonly number[];
  readonly errors: readonly number[];
  readonly stopped: readonly number[];
  readonly inputTokens: readonly number[];
  readonly outputTokens: readonly number[];
  readonly p50: readonly (number | null)[];
  readonly p95: readonly (number | null)[];
  readonly p99: readonly (number | null)[];
  /** Requests for a person's decision that have none yet, by the time of the request. */
  readonly waiting: readonly number[];
}

/** Hours without an entry between busy ones. */
export interface SilentSpan {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Entries in the same hours of other days, on average: the reason why silence stands out. */
  readonly usual: number;
}

/** Groups that figures are counted by. */
export const GROUPS = ["model", "provider", "actor", "agent", "outcome"] as const;

/** One of them. */
export type GroupName = (typeof GROUPS)[number];

/** The figures of a selection. */
export interface Overview {
  /** Milliseconds since the epoch, both inclusive; null for an open end. */
  readonly range: { readonly from: number | null; readonly to: number | null };
  readonly total: GroupFigures;
  readonly waiting: number;
  readonly timeline: Timeline;
  readonly by: Readonly<Record<GroupName, readonly GroupFigures[]>>;
  readonly silences: readonly SilentSpan[];
}

/** An entry, and entries that belong to it. */
export interface EntryView {
  readonly entry: AuditEntry;
  readonly row: EntryRow;
  /** Decisions about it. */
  readonly reviews: readonly EntryRow[];
  /** The entry that it decides about. */
  readonly reviewed: EntryRow | null;
}

/** A message of a call. */
export interface MessageView {
  readonly role: string;
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly arguments: string }[];
}

/** The contents of an entry, opened on demand. */
export interface ContentView {
  readonly input: OpenedField;
  readonly output: OpenedField;
  readonly diagnostics: OpenedField | null;
  /** Input and output as messages, where they could be opened. */
  readonly messages: readonly MessageView[];
}

/** A passage of a conversation. */
export interface PassageView {
  readonly id: string | null;
  /** RFC 3339. */
  readonly began: string;
  readonly depth: number;
  readonly title: string;
  readonly row: EntryRow | null;
  readonly passages: readonly { readonly label: string; readonly text: string }[];
}

/** A conversation as a transcript. */
export interface ConversationView {
  readonly id: string;
  readonly figures: TreeFigures;
  readonly passages: readonly PassageView[];
  /** Whether contents were opened. */
  readonly isOpened: boolean;
}

/** A node of a run's tree. */
export interface RunNode {
  readonly title: string;
  readonly kind: string;
  readonly depth: number;
  /** Milliseconds since the epoch. */
  readonly beganAt: number;
  readonly endedAt: number;
  readonly row: EntryRow | null;
}

/** One invocation as a tree. */
export interface RunView {
  readonly root: string;
  readonly figures: TreeFigures;
  readonly nodes: readonly RunNode[];
}

/** What waits or waited for a person. */
export interface ReviewView {
  readonly title: string;
  readonly request: EntryRow;
  readonly decisions: readonly { readonly verdict: string; readonly row: EntryRow }[];
  readonly decided: ReviewCase["decided"];
  readonly waitedMs: number;
}

/** A data subject, and the number of entries about it. */
export interface PersonRow {
  /** The key id that stands in the log. */
  readonly subject: string;
  readonly entries: number;
}

/** Requests for a person's decision, newest first. */
export interface ReviewsView {
  readonly total: number;
  /** Those without a decision. */
  readonly waiting: number;
  readonly offset: number;
  /** A page of them. */
  readonly cases: readonly ReviewView[];
}

/** The entries about a data subject. */
export interface PersonView {
  readonly subject: string;
  readonly total: GroupFigures;
  readonly oldest: string | null;
  readonly newest: string | null;
  /** Entries whose content is kept, beside their hashes. */
  readonly withContent: number;
  readonly erasures: readonly {
    readonly at: string | null;
    readonly actor: string;
    readonly reason: string;
    readonly file: string;
  }[];
}

/** A fact that the log records about itself. */
export interface FactView {
  /** RFC 3339, or a UTC day. */
  readonly at: string;
  readonly kind: string;
  readonly text: string;
  readonly file: string;
}

/** The proof of one entry. */
export interface ProofView {
  readonly state: "proven" | "unproven" | "altered";
  readonly verdict: string;
  /** A C2SP tlog-proof; null where there is none. */
  readonly proof: string | null;
}
