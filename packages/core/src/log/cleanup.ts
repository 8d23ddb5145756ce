// Retention on a schedule.
import { Cron } from "croner";
import { notify } from "../capture/callback.ts";
import { AuditConfigError, AuditError } from "../errors.ts";

/** How `AuditLogger.cleanupExpired()` removes. */
export interface CleanupOptions {
  /** The present. @default the clock */
  readonly now?: Date | undefined;
  /** Counts without removing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Who removes; it stands in the log. @default "ai-audit" */
  readonly actor?: string | undefined;
}

/** When `AuditLogger.scheduleCleanup()` runs. */
export interface ScheduleOptions {
  /** Cron expression, five or six fields. @default "0 2 * * *" (02:00 daily) */
  readonly cron?: string | undefined;
  /** IANA time zone of `cron`. @default the machine's */
  readonly timezone?: string | undefined;
  /** Called after each run with the number of entries removed, or with the error. */
  readonly onRun?:
    | ((result: { readonly removed: number } | { readonly error: unknown }) => void)
    | undefined;
}

/** A running schedule. */
export interface CleanupSchedule {
  /** When the next run is due; null once stopped. */
  readonly nextRun: Date | null;
  stop(): void;
}

/**
 * Runs `clean` on a schedule, never twice at once, without keeping the process alive. `onError` gets what `clean`
 * throws when there is no `onRun`. Throws `AUDIT_CONFIG_INVALID` for a cron expression or zone that is none.
 */
export function startSchedule(
  clean: () => Promise<number>,
  { cron = "0 2 * * *", timezone, onRun }: ScheduleOptions,
  onError: ((error: AuditError) => void) | undefined,
): CleanupSchedule {
  const run = async (): Promise<void> => {
    let result: Parameters<NonNullable<ScheduleOptions["onRun"]>>[0];
    try {
      result = { removed: await clean() };
    } catch (error) {
      result = { error };
      if (!onRun) report(asAuditError(error), onError);
    }
    notify("onRun", onRun, result);
  };
  let job: Cron;
  try {
    job = new Cron(
      cron,
      { ...(timezone !== undefined && { timezone }), unref: true, protect: true, catch: true },
      run,
    );
    job.nextRun(); // an unknown time zone shows here
  } catch (cause) {
    const what = [cron, ...(timezone === undefined ? [] : [timezone])]
      .map((text) => JSON.stringify(text))
      .join(" in time zone ");
    throw new AuditConfigError(
      `scheduleCleanup(): ${what} is not a schedule (${messageOf(cause)})`,
      { cause },
    );
  }
  return {
    get nextRun() {
      return job.nextRun();
    },
    stop: () => job.stop(),
  };
}

/** What nobody awaits, such as a scheduled run, and nobody listens for becomes a process warning. */
export function report(
  error: AuditError,
  onError: ((error: AuditError) => void) | undefined,
): void {
  if (onError) notify("onError", onError, error);
  else process.emitWarning(error.message, { type: "AuditWarning", code: error.code });
}

function asAuditError(error: unknown): AuditError {
  return AuditError.isInstance(error)
    ? error
    : new AuditError("AUDIT_READ_FAILED", `clean-up failed: ${messageOf(error)}`, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
