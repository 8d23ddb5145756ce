// Opens the log that a command reads.
import { FileStorage } from "@ai-audit/core";
import { resolveLocation } from "./location.ts";
import type { Session } from "./session.ts";
import { Settings } from "./settings.ts";

/** A log to read from. */
export interface OpenLog {
  /** Absolute path. */
  readonly location: string;
  readonly storage: FileStorage;
  readonly settings: Settings;
}

/**
 * The log at a location. Nothing is written there before something is appended.
 *
 * @throws {Failure} where there is none
 */
export function openLog(given: string | undefined, session: Session): OpenLog {
  const settings = Settings.load(session.env);
  const location = resolveLocation(given, settings);
  return { location, storage: new FileStorage({ path: location }), settings };
}
