// Findings of an examination.

/** One thing that was examined. */
export interface Finding {
  readonly about: string;
  /** `look`: an operator should look at it. `wrong`: it does not work, or is dangerous. */
  readonly state: "good" | "look" | "wrong";
  readonly message: string;
  /** The remedy. */
  readonly remedy?: string;
}

export function good(about: string, message: string): Finding {
  return { about, state: "good", message };
}

export function look(about: string, message: string, remedy: string): Finding {
  return { about, state: "look", message, remedy };
}

export function wrong(about: string, message: string, remedy: string): Finding {
  return { about, state: "wrong", message, remedy };
}
