// From an interaction to the entry's line: resolve, validate, redact, hash and encrypt. Over 300
// lines: the steps stand in their order.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { isJsonObject, type JsonValue, toJson, type OpaqueKind } from "../format/canonical.ts";
import { type Content, contentOf, hashContent } from "../format/content.ts";
import { type AuditContext, NO_CONTEXT, runOfEntry } from "./context.ts";
import type { EncryptionManager } from "../keys/encryption.ts";
import type { SubjectKey } from "../keys/keys.ts";
import { diagnosticsValue } from "../format/diagnostics.ts";
import { entryToLine } from "../format/entry-line.ts";
import { AuditError, AuditInputError } from "../errors.ts";
import { newEntryId, timestampOf } from "../format/id.ts";
import { isTooLong } from "../format/lines.ts";
import { CallFields, membersOver } from "./fields.ts";
import { type CheckedFields, checkFields, describeOpaque } from "./interaction.ts";
import type { RedactableField } from "./redact.ts";
import { nameOf } from "./payload/read.ts";

/**
 * `strict` rejects fields that do not fit; `lenient` records the others and names these in
 * `alerts`.
 */
export type DraftMode = "strict" | "lenient";

/** Settings, resolved when the logger is made. */
export interface DraftSettings {
  readonly stream: string;
  readonly encryption: EncryptionManager | undefined;
  readonly digest: "sha256" | "hmac-sha256";
  readonly storeContent: boolean;
  readonly redact: ((field: RedactableField, value: JsonValue) => JsonValue) | undefined;
  readonly metadataSchema: StandardSchemaV1<object, unknown> | undefined;
}

/** An interaction as JSON, with what it inherits, checked and redacted; not yet hashed. */
export interface Draft {
  readonly input: JsonValue;
  readonly output: JsonValue;
  readonly fields: CheckedFields;
  readonly alerts: readonly string[];
}

/**
 * Snapshots the interaction, at once: later changes by the caller do not count. Returns a promise
 * only where the schema is asynchronous. Throws, or rejects with, `AUDIT_INPUT_INVALID` or
 * `AUDIT_METADATA_INVALID` when `strict`.
 */
export function draftEntry(
  interaction: object,
  mode: DraftMode,
  settings: DraftSettings,
  context: AuditContext = NO_CONTEXT,
): Draft | Promise<Draft> {
  const { fields: own, problems } = checkFields(interaction, mode, placeOf(interaction));
  const opaque: string[] = [];
  const input = contentValue(interaction, "input", mode, opaque);
  const output = contentValue(interaction, "output", mode, opaque);
  // Most entries inherit nothing, and copying their fields would cost as much as checking them.
  const inherited = context === NO_CONTEXT ? undefined : checkFields(context, mode);
  const fields = inherited ? fieldsOver(inherited.fields, own) : own;
  const alerts = [...problems, ...opaque, ...(inherited?.problems ?? [])].map(
    (problem) => `ai-audit: ${problem}`,
  );
  const draft = { input, output, fields, alerts };
  if (settings.metadataSchema)
    return withFittedMetadata(draft, settings.metadataSchema, mode, settings.redact);
  return settings.redact ? redactDraft(draft, settings.redact) : draft;
}

/**
 * Only its call holds a `CallFields`: its members are replaced by their JSON. Others are copied.
 */
function placeOf(interaction: object): Record<string, JsonValue | undefined> {
  if (!CallFields.isInstance(interaction)) return {};
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as the comment above says
  return interaction as object as Record<string, JsonValue | undefined>;
}

/** Over what is inherited; `metadata` and `run` key by key. */
function fieldsOver(inherited: CheckedFields, own: CheckedFields): CheckedFields {
  const metadata = membersOver(asRecord(inherited.metadata), asRecord(own.metadata));
  const run = runOfEntry(
    inherited.run === undefined ? undefined : asRecord(inherited.run),
    own.run === undefined ? undefined : asRecord(own.run),
  );
  return { ...inherited, ...own, metadata, run: toJson(run) };
}

async function withFittedMetadata(
  draft: Draft,
  schema: NonNullable<DraftSettings["metadataSchema"]>,
  mode: DraftMode,
  redact: DraftSettings["redact"],
): Promise<Draft> {
  const { metadata, issues } = await fitMetadata(asRecord(draft.fields.metadata), schema);
  if (issues.length > 0 && mode === "strict") throw metadataError(issues);
  const alerts = [...draft.alerts, ...issues.map((issue) => `ai-audit: ${describeIssue(issue)}`)];
  const fitted = { ...draft, fields: { ...draft.fields, metadata }, alerts };
  return redact ? redactDraft(fitted, redact) : fitted;
}

interface FittedMetadata {
  readonly metadata: Readonly<Record<string, JsonValue>>;
  readonly issues: readonly StandardSchemaV1.Issue[];
}

/** The schema's result over the metadata. Members that the schema does not know are kept. */
async function fitMetadata(
  given: Readonly<Record<string, JsonValue>>,
  schema: NonNullable<DraftSettings["metadataSchema"]>,
): Promise<FittedMetadata> {
  try {
    const result = await schema["~standard"].validate(given);
    if (result.issues) return { metadata: given, issues: result.issues };
    return { metadata: { ...given, ...asRecord(toJson(result.value)) }, issues: [] };
  } catch (error) {
    return { metadata: given, issues: [{ message: `the schema threw ${nameOf(error)}` }] };
  }
}

/** The draft of an entry that records the same call as another entry. */
export function withSameCall(draft: Draft, sameCallAs: string | undefined): Draft {
  if (sameCallAs === undefined) return draft;
  const run = { ...asRecord(draft.fields.run), sameCallAs };
  return { ...draft, fields: { ...draft.fields, run } };
}

function contentValue(
  interaction: object,
  field: "input" | "output",
  mode: DraftMode,
  problems: string[],
): JsonValue {
  let value: unknown;
  try {
    value = (interaction as { readonly [F in "input" | "output"]?: unknown })[field];
  } catch (cause) {
    if (mode === "strict")
      throw new AuditInputError(`log(): ${field} threw when it was read`, { cause });
    return "[threw]";
  }
  if (value === undefined && mode === "strict")
    throw new AuditInputError(`log(): ${field} is required`);
  if (value === undefined) return "";
  const kinds = new Set<OpaqueKind>();
  const content = toJson(value, undefined, (kind) => kinds.add(kind));
  for (const kind of kinds) {
    const problem = describeOpaque(field, kind);
    if (mode === "strict") throw new AuditInputError(`log(): ${problem}`);
    problems.push(problem);
  }
  return content;
}

const REDACTED = [
  "metadata",
  "parameters",
  "error",
  "blockReason",
  "alerts",
  "diagnostics",
] as const;

/**
 * A redaction that throws must neither leak the value nor lose the entry: the value is dropped, and
 * an alert says so.
 */
function redactDraft(draft: Draft, redact: NonNullable<DraftSettings["redact"]>): Draft {
  const alerts = [...draft.alerts];
  const apply = (field: RedactableField, value: JsonValue, replacement: JsonValue): JsonValue => {
    try {
      return redact(field, value);
    } catch (error) {
      alerts.push(`ai-audit: redaction of ${field} failed (${nameOf(error)})`);
      return replacement;
    }
  };
  /** A redaction may change a field's value, not its type. */
  const applyInKind = (field: keyof typeof REPLACEMENT, value: JsonValue): JsonValue => {
    const redacted = apply(field, value, REPLACEMENT[field]);
    if (kindOf(redacted) === kindOf(value)) return redacted;
    alerts.push(
      `ai-audit: redaction of ${field} made it ${kindOf(redacted)}: the field is not kept`,
    );
    return REPLACEMENT[field];
  };
  const fields: Record<string, JsonValue> = { ...draft.fields };
  for (const field of REDACTED) {
    const value = fields[field];
    if (value !== undefined) fields[field] = applyInKind(field, value);
  }
  return {
    input: apply("input", draft.input, FAILED),
    output: apply("output", draft.output, FAILED),
    fields,
    alerts,
  };
}

const FAILED = "[REDACTION FAILED]";
const REPLACEMENT = {
  metadata: {},
  parameters: {},
  error: { type: FAILED },
  blockReason: FAILED,
  alerts: [FAILED],
  diagnostics: { errorMessage: FAILED },
} satisfies Record<(typeof REDACTED)[number], JsonValue>;

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** An entry's id and its line. */
export interface FinishedEntry {
  readonly id: string;
  readonly line: string;
}

/**
 * Gives the draft its id and time, hashes and encrypts it. Synchronous: ids must reach the storage
 * in order. Content that makes the line longer than a line may be is not kept: nobody escapes the
 * log by a long prompt. Throws `AUDIT_INPUT_INVALID` when the line is too long without it too.
 */
export function finishEntry(
  draft: Draft,
  subject: SubjectKey | undefined,
  settings: DraftSettings,
): FinishedEntry {
  const entry = writeIfItFits(draft, subject, settings);
  if (entry) return entry;
  const alerts = [
    ...draft.alerts,
    "ai-audit: the content is not kept: the entry's line would be longer than 64 MiB",
  ];
  const short = writeIfItFits({ ...draft, alerts }, subject, { ...settings, storeContent: false });
  if (short) return short;
  throw new AuditInputError("log(): the entry is too long for a line");
}

/** Undefined where the line is too long. */
function writeIfItFits(
  draft: Draft,
  subject: SubjectKey | undefined,
  settings: DraftSettings,
): FinishedEntry | undefined {
  try {
    const entry = writeEntry(draft, subject, settings);
    return isTooLong(entry.line) ? undefined : entry;
  } catch (cause) {
    if (cause instanceof RangeError) return undefined; // longer than any string
    throw cause;
  }
}

function writeEntry(
  draft: Draft,
  subject: SubjectKey | undefined,
  settings: DraftSettings,
): FinishedEntry {
  const { encryption, digest, storeContent, stream } = settings;
  const id = newEntryId();
  const kid = encryption?.kidFor(stream, subject);
  const input = contentOf(draft.input);
  const output = contentOf(draft.output);
  const hashOf = (content: Content): string => hashUnder(content, kid, subject, settings);
  const isPlain = storeContent && !encryption;
  const tokens =
    storeContent && encryption && kid !== undefined
      ? {
          input: encryption.encryptContent(input, { kid, id, field: "input" }, subject),
          output: encryption.encryptContent(output, { kid, id, field: "output" }, subject),
        }
      : undefined;
  const { alerts, run } = draft.fields;
  const { error, blockReason, diagnostics } = withoutQuotes(draft.fields);
  const sealed = {
    id,
    timestamp: timestampOf(id),
    inputHash: hashOf(input),
    outputHash: hashOf(output),
    inputContent: isPlain ? input.text : null,
    outputContent: isPlain ? output.text : null,
    alerts: draft.alerts.length > 0 ? [...asTexts(alerts), ...draft.alerts] : asTexts(alerts),
    run: isJsonObject(run) && Object.keys(run).length > 0 ? run : undefined,
    error,
    blockReason,
    subject: subject?.id,
    kid: digest === "hmac-sha256" ? kid : undefined,
    inputFormat: input.format,
    outputFormat: output.format,
    ...(diagnostics && {
      diagnosticsHash: hashOf(diagnostics),
      diagnosticsContent:
        tokens && encryption && kid !== undefined
          ? encryption.encryptContent(diagnostics, { kid, id, field: "diagnostics" }, subject)
          : isPlain
            ? diagnostics.text
            : undefined,
    }),
  };
  return { id, line: entryToLine(sealed, withoutSubjectName(draft.fields, subject), tokens) };
}

/** An actor who is the subject has the subject's key id: its name is nowhere in the log. */
function withoutSubjectName(fields: CheckedFields, subject: SubjectKey | undefined): CheckedFields {
  const { actor, subject: name } = fields;
  if (subject === undefined || !isJsonObject(actor)) return fields;
  const own = Object.entries(actor).map(([member, value]) => [
    member,
    value === name && (member === "id" || member === "onBehalfOf") ? subject.id : value,
  ]);
  return { ...fields, actor: Object.fromEntries(own) };
}

/**
 * The clear fields without the provider's own words, which may quote the prompt, and these words as
 * content. Type, code and status of an error stay in clear, and so does a block reason that does
 * not repeat the error's message.
 */
function withoutQuotes({ error, blockReason, diagnostics }: CheckedFields): {
  readonly error: JsonValue | undefined;
  readonly blockReason: JsonValue | undefined;
  readonly diagnostics: Content | undefined;
} {
  const { message, ...clear } = asRecord(error);
  const quotes =
    typeof message === "string" &&
    message !== "" &&
    typeof blockReason === "string" &&
    blockReason.includes(message);
  const said = {
    ...(message !== undefined && { errorMessage: message }),
    ...(quotes && { blockMessage: blockReason }),
    ...asRecord(diagnostics),
  };
  return {
    error: isJsonObject(error) ? clear : error,
    blockReason: quotes ? (clear["code"] ?? clear["type"]) : blockReason,
    diagnostics: Object.keys(said).length === 0 ? undefined : contentOf(diagnosticsValue(said)),
  };
}

/** The input hash that the entry of this draft will have. */
export function hashInput(
  draft: Draft,
  subject: SubjectKey | undefined,
  settings: DraftSettings,
): string {
  return hashUnder(
    contentOf(draft.input),
    settings.encryption?.kidFor(settings.stream, subject),
    subject,
    settings,
  );
}

/** The hash of a content: keyed where the settings say so, and SHA-256 otherwise. */
export function hashUnder(
  { text }: Content,
  kid: string | undefined,
  subject: SubjectKey | undefined,
  { digest, encryption }: Pick<DraftSettings, "digest" | "encryption">,
): string {
  return digest === "hmac-sha256" && encryption && kid !== undefined
    ? encryption.digest(text, kid, subject)
    : hashContent(text);
}

function asRecord(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return isJsonObject(value) ? value : {};
}

function asTexts(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value)
    ? value.filter((item): item is string => typeof item === "string")
    : [];
}

function metadataError(issues: readonly StandardSchemaV1.Issue[]): AuditError {
  const message = `log(): ${issues.map(describeIssue).join("; ")}`;
  return new AuditInputError(message, { code: "AUDIT_METADATA_INVALID", issues });
}

/** The member's path, never the schema's message: some messages quote the value. */
function describeIssue(issue: StandardSchemaV1.Issue): string {
  return `${["metadata", pathOf(issue)].join(" ").trim()} does not fit its schema`;
}

function pathOf({ path = [] }: StandardSchemaV1.Issue): string {
  return path.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
}
