// Closing a logger when its process ends.

/** Signals that ask a process to end. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/**
 * Runs `close` at SIGTERM and SIGINT, and when the process has nothing left to do. Afterwards, a
 * signal that the program does not handle itself ends the process as usual. `process.exit()` waits
 * for nothing: await `close()` before it. Returns a function that undoes this.
 */
export function closeOnExit(close: () => Promise<void>): () => void {
  const handlers = SIGNALS.map((signal) => {
    const handler = (): void => void settled(close()).then(() => endBy(signal));
    process.once(signal, handler);
    return { signal, handler };
  });
  const atEnd = (): void => void settled(close());
  process.once("beforeExit", atEnd);
  return () => {
    process.removeListener("beforeExit", atEnd);
    for (const { signal, handler } of handlers) process.removeListener(signal, handler);
  };
}

/** Work of loggers with open calls: one listener serves them all. */
const unfinished = new Set<() => Promise<void>>();

/**
 * Runs `end` when the process has nothing left to do. Only work that nobody ends is open then, such
 * as a stream that its reader left. Returns a function that undoes this.
 */
export function endBeforeExit(end: () => Promise<void>): () => void {
  if (unfinished.size === 0) process.on("beforeExit", endAll);
  unfinished.add(end);
  return () => {
    unfinished.delete(end);
    if (unfinished.size === 0) process.removeListener("beforeExit", endAll);
  };
}

function endAll(): void {
  for (const end of unfinished) void settled(end());
}

/** Every entry's own caller, or `onError`, has the error. */
async function settled(closing: Promise<void>): Promise<void> {
  await closing.catch(() => undefined);
}

/** Sends the signal again once no listener is left that could act on it. */
function endBy(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
