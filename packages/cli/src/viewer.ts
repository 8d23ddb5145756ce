// Loads @ai-audit/viewer when a command needs it, for a short start of all others.

/** The package of pages and reports. */
export type Viewer = typeof import("@ai-audit/viewer");

/** The viewer's functions. */
export async function loadViewer(): Promise<Viewer> {
  return import("@ai-audit/viewer");
}
