// Removes unfinished output: it would be taken for the whole, or hold prompts unnoticed.
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `work`. If a signal arrives meanwhile, removes `path`; the signal then ends the process as
 * usual.
 */
export async function removingOnSignal<T>(path: string, work: () => Promise<T>): Promise<T> {
  const onSignal = (signal: NodeJS.Signals): void => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 }); // a running write may add a file
    process.kill(process.pid, signal); // the listener is gone: this ends the process
  };
  for (const signal of SIGNALS) process.once(signal, onSignal);
  try {
    return await work();
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  }
}

/** Runs `work`, which makes `path`. Removes it on failure, or when a signal ends the process. */
export async function wholeOrNothing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await removingOnSignal(path, work);
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
}
