// Two entries side by side: fields that differ first.
import type { JSX } from "preact";
import type { ContentView, EntryView } from "../data/rows.ts";
import { shownLine } from "../data/text.ts";
import { Content } from "./entry.tsx";

/** An entry and its contents, once they are revealed. */
export interface Compared {
  readonly view: EntryView;
  readonly content: ContentView | undefined;
}

/** The page. */
export function ComparePage({
  left,
  right,
}: {
  readonly left: Compared;
  readonly right: Compared;
}): JSX.Element {
  const [a, b] = [fieldsOf(left), fieldsOf(right)];
  const names = [...new Set([...a.keys(), ...b.keys()])];
  const differing = names.filter((name) => a.get(name) !== b.get(name));
  const equal = names.filter((name) => a.get(name) === b.get(name));
  return (
    <>
      <section class="card">
        <h3>
          {differing.length} fields differ, {equal.length} are equal
        </h3>
        <div class="scroll-x">
          <table class="figures compare">
            <thead>
              <tr>
                <th>field</th>
                <th>
                  <EntryLink of={left} />
                </th>
                <th>
                  <EntryLink of={right} />
                </th>
              </tr>
            </thead>
            <tbody>
              {[...differing, ...equal].map((name) => (
                <tr key={name} class={a.get(name) === b.get(name) ? "equal" : "differs"}>
                  <th scope="row">{shownLine(name)}</th>
                  <td class="wrap">{a.get(name) ?? "–"}</td>
                  <td class="wrap">{b.get(name) ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {(left.content ?? right.content) !== undefined && (
        <div class="grid two">
          {[left, right].map(({ content }, at) => (
            <section class="card" key={at}>
              {content !== undefined && <Content content={content} />}
            </section>
          ))}
        </div>
      )}
    </>
  );
}

function EntryLink({ of: { view } }: { readonly of: Compared }): JSX.Element {
  return <a href={`/entry/${encodeURIComponent(view.entry.id)}`}>{shownLine(view.entry.id)}</a>;
}

/** Clear fields by name, members of members under `parent.name`. */
function fieldsOf({ view: { entry } }: Compared): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(entry)) {
    if (value === null || value === undefined) continue;
    if (typeof value === "object" && !Array.isArray(value))
      for (const [member, inner] of Object.entries(value))
        fields.set(`${name}.${member}`, text(inner));
    else fields.set(name, text(value));
  }
  return fields;
}

function text(value: unknown): string {
  return shownLine(typeof value === "string" ? value : JSON.stringify(value));
}
