// Random nonces for AES-GCM.
import { randomFillSync } from "node:crypto";

/** 96 bits, as RFC 7518 section 5.3 requires. */
export const NONCE_BYTES = 12;

/**
 * One call to the system's generator for this many nonces; a call for each would cost as much as
 * the cipher.
 */
const POOLED = 512;

// State of the module: all managers share the pool, and no slice of it is handed out twice.
let pool = Buffer.alloc(0);
let used = 0;

/** Twelve random bytes that no other caller gets. */
export function nextNonce(): Buffer {
  if (used === pool.byteLength) {
    // A new buffer, never a refill: slices that were handed out stay as they are.
    pool = randomFillSync(Buffer.allocUnsafeSlow(POOLED * NONCE_BYTES));
    used = 0;
  }
  const nonce = pool.subarray(used, used + NONCE_BYTES);
  used += NONCE_BYTES;
  return nonce;
}
