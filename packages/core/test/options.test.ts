// Options objects: every value is checked, and an unknown name is refused with the place it belongs
// to.
import { describe, expect, it } from "vitest";
import { CAPTURE_OPTIONS, DETECTOR_OPTIONS } from "../src/capture/index.ts";
import {
  AuditLogger,
  EncryptionManager,
  FileStorage,
  MemoryStorage,
  withAuditContext,
} from "../src/index.ts";
import {
  anything,
  atLeast,
  callback,
  flag,
  moreThan,
  oneOf,
  optionsOf,
  PLACES,
} from "../src/options.ts";
import { S3Archive } from "../src/storage/s3/index.ts";
import { caught, rejected } from "@ai-audit/test-support/caught";

interface Example {
  readonly on?: boolean;
  readonly mode?: "a" | "b" | "c";
  readonly days?: number;
  readonly told?: () => void;
}

/** As of a caller without types. */
function untyped(options: object): object {
  return options;
}

const check: (given: unknown) => void = optionsOf<Example>("Example", {
  on: flag,
  mode: oneOf("a", "b", "c"),
  days: moreThan(0),
  told: callback,
});

describe("The check of an options object", () => {
  it.each<[unknown, string]>([
    [null, "Example: options must be an object"],
    ["on", "Example: options must be an object"],
    [{ On: true }, 'Example: option "On" is unknown: there are on, mode, days, told'],
    [
      { constructor: 1 },
      'Example: option "constructor" is unknown: there are on, mode, days, told',
    ],
    [{ on: 1 }, "Example: on must be a boolean"],
    [{ on: null }, "Example: on must be a boolean"],
    [{ mode: "d" }, "Example: mode must be 'a', 'b' or 'c'"],
    [{ days: 0 }, "Example: days must be a number > 0"],
    [{ days: Number.NaN }, "Example: days must be a number > 0"],
    [{ days: "1" }, "Example: days must be a number > 0"],
    [{ told: "me" }, "Example: told must be a function"],
  ])("refuses %o", (given, message) => {
    expect(caught(() => check(given))).toMatchObject({ code: "AUDIT_CONFIG_INVALID", message });
  });

  it("takes undefined for each option, and values at their limits", () => {
    check({ on: undefined, mode: undefined, days: undefined, told: undefined });
    check({ on: false, mode: "c", days: Infinity, told: () => undefined });
    expect(atLeast(0)(0)).toBeUndefined();
    expect(atLeast(0)(-1)).toBe("must be a number >= 0");
  });

  it("does not compile without an option", () => {
    // @ts-expect-error `told` is missing, so it would be refused
    const lacking = optionsOf<Example>("Example", { on: anything, mode: anything, days: anything });
    expect(caught(() => lacking({ told: () => undefined }))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
    });
  });
});

describe("An option of another class", () => {
  const storage = new MemoryStorage();
  const makers: Readonly<Record<string, (options: object) => unknown>> = {
    AuditLogger: (options) => new AuditLogger(storage, options),
    FileStorage: (options) => Reflect.construct(FileStorage, [options]),
    S3Archive: (options) => Reflect.construct(S3Archive, [options]),
    EncryptionManager: (options) => new EncryptionManager(undefined, options),
    wrapper: optionsOf("wrapper", { ...CAPTURE_OPTIONS, ...DETECTOR_OPTIONS }),
    storage: (options) => Reflect.construct(FileStorage, [options]),
  };
  const rows = PLACES.flatMap(({ place, names }) => names.map((name) => [name, place] as const));

  it.each(rows)("is refused with its place: %s belongs to %s", async (name, place) => {
    const message = `Example: option ${JSON.stringify(name)} is unknown here (it belongs to ${place}): there are on`;
    expect(caught(() => check({ [name]: 1 }))).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: expect.stringContaining(message),
    });
    const owners = Object.keys(makers).filter((owner) => place.split(/\W+/).includes(owner));
    expect(owners).not.toEqual([]);
    for (const owner of owners) {
      const make = (): unknown => makers[owner]?.({ path: "x", bucket: "b", [name]: undefined });
      const thrown = await rejected(async () => {
        make();
        throw new Error("accepted");
      });
      expect(String(thrown)).not.toContain(`option ${JSON.stringify(name)} is unknown`);
    }
  });

  it.each<[() => unknown, string]>([
    [
      () => new AuditLogger(storage, untyped({ signer: 1 })),
      'AuditLogger: option "signer" is unknown here (it belongs to a storage): there are encryption',
    ],
    [
      () => new FileStorage({ path: "x", ...untyped({ storeContent: true }) }),
      'FileStorage: option "storeContent" is unknown here (it belongs to AuditLogger): there are path',
    ],
    [
      () => new AuditLogger(storage, untyped({ intent: true })),
      'AuditLogger: option "intent" is unknown here (it belongs to a wrapper): there are encryption',
    ],
  ])("is refused with its place, case %#", (make, message) => {
    expect(caught(make)).toMatchObject({
      code: "AUDIT_CONFIG_INVALID",
      message: expect.stringContaining(message),
    });
  });

  it("is an input error where the object is the input of a call", () => {
    const context = untyped({ conversationID: "c" });
    expect(caught(() => withAuditContext(context, () => undefined))).toMatchObject({
      code: "AUDIT_INPUT_INVALID",
      message:
        'withAuditContext(): field "conversationID" is unknown: there are conversationId, metadata, subject, actor, run, trace',
    });
  });
});
