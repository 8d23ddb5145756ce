// What is half made must not be left behind: it would be taken for the whole, or hold prompts that
// nobody knows of.
import { rmSync } from "node:fs";
import { rm } from "node:fs/promises";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Runs `work` and removes what lies at `path` where a signal ends the process meanwhile, as it
 * would have without.
 */
export async function removingOnSignal<T>(path: string, work: () => Promise<T>): Promise<T> {
  const onSignal = (signal: NodeJS.Signals): void => {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 }); // a write under way may add a file meanwhile
    process.kill(process.pid, signal); // the listener was for once: this ends the process
  };
  for (const signal of SIGNALS) process.once(signal, onSignal);
  try {
    return await work();
  } finally {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  }
}

/**
 * Runs `work`, which makes what lies at `path`, and removes it where that fails or a signal ends
 * the process.
 */
export async function wholeOrNothing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await removingOnSignal(path, work);
  } catch (error) {
    await rm(path, { recursive: true, force: true });
    throw error;
  }
}
