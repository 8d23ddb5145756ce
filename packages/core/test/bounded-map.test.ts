import { array, assert, constantFrom, nat, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { RecentMap } from "../src/bounded-map.ts";

const CAPACITY = 3;
const use = record({
  how: constantFrom("get", "set", "delete"),
  key: constantFrom("a", "b", "c", "d", "e"),
  value: nat(),
});

describe("RecentMap", () => {
  it("holds what a list would that is put in order at each use and cut at its end", () => {
    assert(
      property(array(use, { maxLength: 60 }), (uses) => {
        const map = new RecentMap<string, number>(CAPACITY);
        let model: (readonly [string, number])[] = [];
        for (const { how, key, value } of uses) {
          const known = model.find(([other]) => other === key);
          const others = model.filter((other) => other !== known);
          if (how === "set") {
            map.set(key, value);
            model = [...others, [key, value] as const].slice(-CAPACITY);
          } else if (how === "delete") {
            map.delete(key);
            model = others;
          } else if (known) {
            model = [...others, known];
          }
          const expected = how === "get" ? known?.[1] : undefined;
          expect(how === "get" ? map.get(key) : undefined).toBe(expected);
          expect([...map.entries()]).toEqual(model);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("can be emptied while it is walked through", () => {
    const map = new RecentMap<string, number>(CAPACITY);
    for (const name of ["a", "b", "c"]) map.set(name, 1);
    for (const [name] of map.entries()) map.delete(name);
    expect([...map.entries()]).toEqual([]);
  });
});
