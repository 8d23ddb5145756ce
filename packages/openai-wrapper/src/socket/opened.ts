// The WebSockets that an audited client opens: those that nobody records are warned of.
import { type AuditSettings, auditSettingsOf } from "@ai-audit/core/sdk";

interface Sockets {
  audited: boolean;
  warned: boolean;
}

/** By the settings of their client, which its clones share. */
const sockets = new WeakMap<AuditSettings, Sockets>();

function socketsOf(client: object): Sockets | undefined {
  const settings = auditSettingsOf(client);
  if (!settings) return undefined;
  const known = sockets.get(settings) ?? { audited: false, warned: false };
  sockets.set(settings, known);
  return known;
}

/** The client's sockets are recorded. */
export function noteAudited(client: object): void {
  const known = socketsOf(client);
  if (known) known.audited = true;
}

/**
 * An audited client has opened a socket of the Responses API. Warns, once a client, unless it is
 * recorded by the end of the turn. Sockets of the Realtime API ask their client for nothing that
 * could be noticed.
 */
export function noteOpened(client: object): void {
  const known = socketsOf(client);
  if (known === undefined || known.audited || known.warned) return;
  known.warned = true;
  setImmediate(() => {
    known.warned = !known.audited;
    if (known.audited) return;
    const text = "the calls of a WebSocket are not recorded: give the socket to auditSocket()";
    process.emitWarning(text, { type: "AuditWarning", code: "AUDIT_SOCKET_UNSEEN" });
  });
}
