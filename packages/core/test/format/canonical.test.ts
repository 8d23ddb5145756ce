import canonicalize from "canonicalize";
import { assert, jsonValue, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, type JsonValue, toJson } from "../../src/format/canonical.ts";

describe("canonicalJson() is RFC 8785", () => {
  // RFC 8785, 3.2.2, 3.2.3 and appendix B
  const vectors: [JsonValue, string][] = [
    [
      {
        numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
        literals: [null, true, false],
      },
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}',
    ],
    [{ string: '\u20ac$\u000f\nA\'B"\\"/' }, '{"string":"€$\\u000f\\nA\'B\\"\\\\\\"/"}'],
    [
      { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 },
      '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"\u{1f600}":5,"\ufb33":3}',
    ],
    [-0, "0"],
    [5e-324, "5e-324"],
    [1.7976931348623157e308, "1.7976931348623157e+308"],
    [9007199254740992, "9007199254740992"],
    [295147905179352830000, "295147905179352830000"],
    [1e21, "1e+21"],
    [[], "[]"],
    [{}, "{}"],
    ["", '""'],
  ];
  it.each(vectors)("%j", (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it("agrees with another implementation on any JSON", () => {
    assert(
      property(jsonValue(), (value) => {
        const json = toJson(value);
        expect(canonicalJson(json)).toBe(canonicalize(json));
      }),
    );
  });

  it("does not depend on the order of members, and reads back to the same value", () => {
    assert(
      property(jsonValue(), (value) => {
        const json = toJson(value);
        const text = canonicalJson(json);
        expect(canonicalJson(reversed(json))).toBe(text);
        expect(canonicalJson(toJson(JSON.parse(text)))).toBe(text);
      }),
    );
  });
});

function reversed(value: JsonValue): JsonValue {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(reversed);
  return toJson(
    new Map(
      Object.entries(value)
        .toReversed()
        .map(([key, member]) => [key, reversed(member)]),
    ),
  );
}

function fail(): never {
  throw new Error("no");
}

describe("toJson()", () => {
  it("leaves JSON as it is", () => {
    assert(
      property(jsonValue(), (value) => {
        expect(JSON.stringify(toJson(value))).toBe(
          JSON.stringify(value).replaceAll(/\\ud[89a-f][0-9a-f]{2}/gi, "\ufffd"),
        );
      }),
    );
  });

  class Point {
    readonly x = 1;
    readonly #hidden = 2;
    get y(): number {
      return this.#hidden;
    }
  }
  const cases: [string, unknown, JsonValue][] = [
    ["undefined", undefined, null],
    ["undefined in objects and arrays", { a: undefined, b: [undefined, 1] }, { b: [null, 1] }],
    [
      "numbers that JSON lacks",
      [Number.NaN, Infinity, -Infinity, -0],
      ["NaN", "Infinity", "-Infinity", -0],
    ],
    ["bigint", 2n ** 70n, "1180591620717411303424"],
    [
      "functions and symbols",
      [() => 1, Symbol("s"), Point],
      ["[function]", "[symbol]", "[function]"],
    ],
    ["dates", [new Date(0), new Date(Number.NaN)], ["1970-01-01T00:00:00.000Z", "Invalid Date"]],
    ["maps and sets", [new Map([["a", new Set([1, 1, 2])]])], [{ a: [1, 2] }]],
    ["boxed primitives", [new String("s"), new Number(1), new Boolean(false)], ["s", 1, false]],
    ["toJSON()", { toJSON: (key: string) => ({ key }) }, {}],
    ["URLs", new URL("https://example.com/a"), "https://example.com/a"],
    ["instances", new Point(), { x: 1 }],
    ["an object without prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [
      "errors",
      Object.assign(new TypeError("no"), { code: 5 }),
      { name: "TypeError", message: "no", code: 5 },
    ],
    [
      "bytes",
      [
        new Uint8Array([1, 2]),
        Buffer.from([1, 2]),
        new Uint16Array([0x0201]),
        new Uint8Array([1, 2]).buffer,
      ],
      Array.from({ length: 4 }, () => ({
        bytes: 2,
        sha256: "a12871fee210fb8619291eaea194581cbd2531e4b23759d225f6806923f63222",
      })),
    ],
    ["lone surrogates, in names too", { "\ud800": "a\udc00b" }, { "\ufffd": "a\ufffdb" }],
  ];
  it.each(cases)("defines %s", (_, value, json) => {
    expect(toJson(value)).toEqual(json);
  });

  it("keeps __proto__ a member, and no prototype", () => {
    const json = toJson(JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'));
    expect(JSON.stringify(json)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
    expect(Object.getPrototypeOf(json)).toBe(Object.prototype);
    expect(canonicalJson(json)).toBe('{"__proto__":{"polluted":true},"constructor":1}');
  });

  it("loses one member to a getter that throws, and one value to a Proxy that does", () => {
    const value = {
      before: 1,
      get bad(): never {
        throw new Error("no");
      },
      after: 2,
    };
    expect(toJson(value)).toEqual({ before: 1, bad: "[threw]", after: 2 });
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(toJson([proxy, 1])).toEqual(["[threw]", 1]);
    expect(toJson([{ toJSON: fail }, 1])).toEqual(["[threw]", 1]);
  });

  it("ends at cycles and at 200 levels, and not at what merely occurs twice", () => {
    const cycle: { self?: unknown; list: unknown[] } = { list: [] };
    cycle.self = cycle;
    cycle.list.push(cycle.list);
    expect(toJson(cycle)).toEqual({ self: "[circular]", list: ["[circular]"] });
    const twice = { a: 1 };
    expect(toJson([twice, twice])).toEqual([{ a: 1 }, { a: 1 }]);
    let deep: unknown = "bottom";
    for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
    const text = JSON.stringify(toJson(deep));
    expect(text).toBe(`${"[".repeat(200)}"[too deep]"${"]".repeat(200)}`);
  });

  it("ends where few objects stand for more than any memory holds: they hold each other twice, or all the others", () => {
    let knot: unknown = "x";
    for (let depth = 0; depth < 100; depth += 1) knot = [knot, knot];
    const crowd = Array.from({ length: 12 }, (_, n): Record<string, unknown> => ({
      text: `${n} says a few words`,
    }));
    for (const one of crowd) crowd.forEach((other, n) => (one[`friend ${n}`] = other));
    for (const value of [knot, crowd]) {
      const text = JSON.stringify(toJson(value));
      expect(text).toContain('"[too many]"');
      expect(text.length).toBeLessThan(10_000_000);
    }
  });

  it("keeps a tree of any size whole, and one object that occurs ten thousand times", () => {
    const tree = Array.from({ length: 300_000 }, (_, n) => ({ n }));
    expect(toJson(tree)).toEqual(tree);
    const shared = { a: 1 };
    const rows = Array.from({ length: 20_000 }, () => shared);
    expect(JSON.stringify(toJson(rows))).not.toContain("too many");
  });

  it("converts what a replacer gives for texts and objects in their place, and asks it about that no more", () => {
    const asked: unknown[] = [];
    const held = { secret: "s3cr3t", list: ["a", new Map([["k", "v"]])], self: null as unknown };
    held.self = held;
    const replaced = toJson(held, (value, key, holder) => {
      asked.push([typeof value === "string" ? value : "object", key, holder === held]);
      if (key === "secret") return { length: 6, text: "a" };
      if (value instanceof Map) return [...value.keys()];
      return value === "a" ? undefined : value;
    });
    expect(replaced).toEqual({ secret: { length: 6 }, list: [null, ["k"]], self: "[circular]" });
    expect(asked.slice(0, 3)).toEqual([
      ["object", undefined, false],
      ["s3cr3t", "secret", true],
      ["a", "text", false],
    ]);
  });

  it("does not throw when a replacer does", () => {
    expect([toJson("x", fail), toJson({ a: 1 }, fail)]).toEqual(["[threw]", "[threw]"]);
  });

  it("keeps the members of a huge sparse array, and fills the holes of a small one", () => {
    const huge: unknown[] = [];
    huge[4_294_967_294 - 1] = "last";
    huge[5] = "five";
    expect(toJson(huge)).toEqual({ "5": "five", "4294967293": "last" });
    // oxlint-disable-next-line no-sparse-arrays
    expect(toJson([1, , 3])).toEqual([1, null, 3]);
    expect(toJson(Array.from({ length: 100_000 }, (_, n) => n))).toHaveLength(100_000);
  });

  it("keeps no reference to what it was given", () => {
    const value = { a: { b: [1] } };
    const json = toJson(value);
    value.a.b.push(2);
    expect(json).toEqual({ a: { b: [1] } });
  });
});
