// The differences between the SDKs of one generator: the clients of openai, of Anthropic and others
// have the same methods, by which their calls are seen.
import type { CapturedFields } from "../fields.ts";
import type { Surface, WireRequest } from "./surface.ts";

/** A method with types of the SDK, which differ between its versions. */
export type Method = (this: object, ...args: unknown[]) => unknown;

/** One SDK. */
export interface SdkHost {
  /** The supported versions, for messages: `openai 5, 6 or 7`. */
  readonly versions: string;
  /** Name of the package, for messages. */
  readonly name: string;
  /** Whether a version, such as `7.57.0`, is supported. */
  supports(version: string): boolean;
  /** The SDK's most general error, a static member of its clients: it tells the SDKs apart. */
  readonly baseError: string;
  /** Static members of the clients with the other error classes, the most specific first. */
  readonly errorTypes: readonly string[];
  /** Prefix of the detectors of codes that no provider's table lists. */
  readonly vendor: string;
  /** Headers of a response with the provider's id of the request, in the order of preference. */
  readonly requestIdHeaders: readonly string[];
  /**
   * A call begins when its request is built: later versions prepare it inside of `fetch`, where an
   * error counts as a broken connection and is tried again.
   * @default false
   */
  readonly beginsWhenBuilt?: boolean;
  /** Further methods to wrap, by name. */
  readonly methods?: Readonly<Record<string, (base: Method) => Method>>;
  /** Throws `AUDIT_CONFIG_INVALID` for an `audit` option that is unknown or does not fit. */
  checkOptions(given: unknown): void;
  /** The surface of a request; undefined for one that leaves no entry. Must not throw. */
  surfaceOf(request: WireRequest): Surface | undefined;
  /** The provider of a client; undefined where the host that is called decides. */
  providerOf(client: object): string | undefined;
  /** Makes the memory of a client and its clones. */
  newMemory(): CallMemory;
}

/** The calls of one client and its clones, as far as later calls refer to them. */
export interface CallMemory {
  /** The entry whose tool calls a request answers. */
  askedBy(body: unknown): Promise<string | undefined> | undefined;
  /** The entry that already recorded the same response. */
  known(operation: string, fields: CapturedFields): Promise<string | undefined> | undefined;
  /** The entries of people's decisions in a request that were not recorded before. */
  decisionsIn(body: unknown): readonly CapturedFields[];
  /** Decisions that could not be recorded: the caller's next try brings them again. */
  forget(decisions: readonly CapturedFields[]): void;
  /** An entry is being written. */
  note(operation: string, fields: CapturedFields, written: Promise<string | undefined>): void;
}
