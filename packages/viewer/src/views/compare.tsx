// Two entries side by side: fields that differ first.
import type { JSX } from "preact";
import { compareEntries } from "../data/compare.ts";
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
  const fields = compareEntries(left.view.entry, right.view.entry);
  const equal = fields.filter(({ isEqual }) => isEqual).length;
  return (
    <>
      <section class="card">
        <h3>
          {fields.length - equal} fields differ, {equal} are equal
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
              {fields.map(({ field, a, b, isEqual }) => (
                <tr key={field} class={isEqual ? "equal" : "differs"}>
                  <th scope="row">{shownLine(field)}</th>
                  <td class="wrap">{a === null ? "–" : shownLine(a)}</td>
                  <td class="wrap">{b === null ? "–" : shownLine(b)}</td>
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
