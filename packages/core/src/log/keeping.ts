// Removal: what is past retention, now or on a schedule, and one person's content.
import { Cron } from "croner";
import { notify, report } from "../capture/callback.ts";
import { AuditConfigError, AuditError, AuditInputError } from "../errors.ts";
import { formatControlLine } from "../format/control-line.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import { isValidDate } from "./query.ts";
import type { AuditStorage } from "../storage/storage.ts";
import { DAY_MS } from "../time.ts";

/** The person or program that acts, and why. The log records both permanently. */
export interface ActorAndReason {
  readonly actor: string;
  readonly reason: string;
}

/** Throws `AUDIT_INPUT_INVALID` unless both are non-empty strings. `caller` begins the message. */
export function requireActorAndReason(caller: string, given: ActorAndReason): void {
  for (const field of ["actor", "reason"] as const) {
    if (typeof given?.[field] !== "string" || given[field].trim() === "") {
      throw new AuditInputError(
        `${caller}: ${field} must be a non-empty string (it is recorded permanently)`,
      );
    }
  }
}

/** Options of `AuditLogger.cleanupExpired()`. */
export interface CleanupOptions {
  /** The current time. @default the clock's */
  readonly now?: Date | undefined;
  /** Count, but remove nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** The name recorded in the log for the removal. @default "ai-audit" */
  readonly actor?: string | undefined;
}

/** Options of `AuditLogger.scheduleCleanup()`. */
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
  /** Time of the next run; null once stopped. */
  readonly nextRun: Date | null;
  stop(): void;
}

/**
 * Removes what is past retention, whole files at a time. Resolves to the number of entries removed.
 * A file that is not as it was sealed stays, as evidence: `onError`, or else a process warning,
 * says so.
 */
export async function removeExpired(
  storage: AuditStorage,
  retentionDays: number,
  onError: ((error: AuditError) => void) | undefined,
  { now = new Date(), dryRun = false, actor = "ai-audit" }: CleanupOptions,
): Promise<number> {
  if (!isValidDate(now)) throw new AuditInputError("now is not a valid Date");
  const { entries, expired = [] } = await storage.prune({
    before: now.getTime() - retentionDays * DAY_MS,
    policy: `retention ${retentionDays} days`,
    actor,
    dryRun,
    now: now.getTime(),
  });
  for (const { file, fate, reason = "" } of dryRun ? [] : expired) {
    if (fate !== "refused") continue;
    const message = `${file} is past retention and stays: ${reason}. Verify the log`;
    report("onError", onError, new AuditError("AUDIT_READ_FAILED", message));
  }
  return entries;
}

/**
 * Records `subject.erased` for each key id of a subject, then destroys the subject's secret.
 * Resolves to the ids.
 */
export async function eraseSubject(
  append: (line: string) => Promise<void>,
  keys: EncryptionManager,
  name: string,
  by: ActorAndReason,
): Promise<readonly string[]> {
  requireActorAndReason("eraseSubject()", by);
  for (const subject of await keys.subjectIds(name)) {
    const { actor, reason } = by;
    const at = new Date().toISOString();
    await append(formatControlLine({ type: "subject.erased", subject, actor, reason, at }));
  }
  return keys.eraseSubject(name);
}

/**
 * Runs `clean` on a schedule, one run at a time, without keeping the process alive. Without
 * `onRun`, `onError` gets the errors of `clean`. Throws `AUDIT_CONFIG_INVALID` for an invalid cron
 * expression or time zone.
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
      if (!onRun) report("onError", onError, asAuditError(error));
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

function asAuditError(error: unknown): AuditError {
  return AuditError.isInstance(error)
    ? error
    : new AuditError("AUDIT_READ_FAILED", `clean-up failed: ${messageOf(error)}`, { cause: error });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
