// One thing that a payload says about safety.

/** A check that ran and, where it found something, what. */
export interface Observation {
  /** Which check ran, such as `azure:content_filter`. */
  readonly check: string;
  readonly at: "input" | "output";
  /** Absent when the check ran and found nothing. */
  readonly finding?: {
    readonly detector: string;
    /** `suspect`: a code nobody knows, which looks like a policy's. */
    readonly action: "block" | "flag" | "suspect";
    /** A code or a category; never content. */
    readonly reason: string;
    /** The choice it concerns; absent when it concerns the whole call. */
    readonly choice?: number | undefined;
  };
}

/** A check that should have run and did not. */
export interface Failure {
  readonly failed: string;
}

/** What is found is added here: every response is classified, and most have nothing. */
export type Observations = (Observation | Failure)[];
