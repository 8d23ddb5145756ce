// The worker's side of audit.html: verifies the data by the keys that the reader gave.
import type { PageData } from "../data.ts";
import { type PageVerdict, readVkey, verifyPage } from "./verifier.ts";

/** A request to verify. */
export interface Request {
  /** The text of the page's data. */
  readonly data: string;
  readonly vkeys: readonly string[];
}

/** An answer: several of `progress`, and then one of the others. */
export type Answer =
  | { readonly kind: "progress"; readonly verified: number }
  | { readonly kind: "verified"; readonly data: PageData; readonly verdict: PageVerdict }
  | { readonly kind: "failed"; readonly message: string; readonly isOfKey?: true };

/** Answers every request, one after the other. */
export function answerRequests(): void {
  let last: Promise<void> = Promise.resolve();
  addEventListener("message", ({ data: request }: MessageEvent<Request>) => {
    last = last.then(() => answer(request));
  });
}

async function answer({ data, vkeys }: Request): Promise<void> {
  try {
    await Promise.all(vkeys.map(readVkey));
  } catch (error) {
    post({ kind: "failed", message: messageOf(error), isOfKey: true });
    return;
  }
  try {
    const onProgress = (verified: number): void => {
      post({ kind: "progress", verified });
    };
    post({ kind: "verified", ...(await verifyPage(data, vkeys, onProgress)) });
  } catch (error) {
    post({ kind: "failed", message: messageOf(error) });
  }
}

function post(message: Answer): void {
  postMessage(message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
