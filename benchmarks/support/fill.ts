// A log of many entries, written by the real logger whose clock moves over thirty days.
import { mock } from "node:test";
import { AuditLogger, FileStorage, type Signer } from "@ai-audit/core";
import { INTERACTION } from "./interaction.ts";

export const DAY_MS = 86_400_000;
export const DAYS = 30;
export const BEGIN = Date.UTC(2026, 0, 1);

export interface Filling {
  readonly entries: number;
  /** Segments, at least one a day. @default one a day */
  readonly segments?: number;
  /** Calls that share a commit. @default 1,000 */
  readonly inFlight?: number;
  /** Bytes of input, and of output. @default 1,024 */
  readonly bytes?: number;
}

/** Fills a directory under the signer's key. */
export async function fill(
  path: string,
  signer: Signer,
  { entries, segments = DAYS, inFlight = 1000, bytes = 1024 }: Filling,
): Promise<void> {
  const interaction = {
    ...INTERACTION,
    input: INTERACTION.input.slice(0, bytes),
    output: INTERACTION.output.slice(0, bytes),
  };
  mock.timers.enable({ apis: ["Date"], now: BEGIN });
  try {
    let written = 0;
    for (let segment = 0; segment < segments; segment += 1) {
      const logger = new AuditLogger(new FileStorage({ path, durability: "os", signer }), {
        storeContent: true,
      });
      const end = Math.round((entries * (segment + 1)) / segments);
      for (; written < end; written += Math.min(inFlight, end - written)) {
        mock.timers.setTime(BEGIN + Math.floor((written / entries) * DAYS * DAY_MS));
        const calls = Array.from({ length: Math.min(inFlight, end - written) }, () =>
          logger.log(interaction),
        );
        await Promise.all(calls);
      }
      await logger.close();
    }
  } finally {
    mock.timers.reset();
  }
}
