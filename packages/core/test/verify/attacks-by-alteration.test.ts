// Alterations of a log in a directory, and files planted in it. The rules stand in
// docs/verification.md.
import { appendFile, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { formatControlLine } from "../../src/format/control-line.ts";
import { Signer } from "../../src/seal/signer.ts";
import { bench, judges, NEXT, OLD, pathOf, prune, type Row, signer } from "./attack-table.ts";
import { entryLine, entryLines, writeSegment } from "./log-builder.ts";

/** The key after a rotation. */
const newer = await Signer.generate("acme");

const ALTERATIONS: readonly Row[] = [
  {
    what: "one digit of the version does not soften an alteration",
    act: async () => {
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace('"v":1', '"v":2').replace("France", "Norway"));
    },
    exitCode: 1,
    says: "the lines before it are not those of its checkpoint, in any version",
  },
  {
    what: "a planted file of any size hides no alteration of another",
    act: async () => {
      await writeFile(pathOf("audit_20261122.jsonl"), "");
      await truncate(pathOf("audit_20261122.jsonl"), 2 ** 30);
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace("France", "Norway"));
    },
    exitCode: 1,
    says: `TAMPERED ${OLD}: the entry's input does not have its hash`,
  },
  {
    what: "a planted file of any size is named and not read",
    act: async () => {
      await writeFile(pathOf("audit_20261122.jsonl"), "");
      await truncate(pathOf("audit_20261122.jsonl"), 2 ** 30);
    },
    exitCode: 2,
    says: "1 file unreadable (audit_20261122.jsonl: not read: its first line has no end, and more than 16 MiB)",
  },
  {
    what: "a recorded file that became a hole is altered",
    act: async () => {
      await writeFile(pathOf(OLD), "");
      await truncate(pathOf(OLD), 2 ** 30);
    },
    exitCode: 1,
    says: `FORK ${OLD}: not the segment that ${NEXT} records`,
  },
  {
    what: "an entry that readers cannot find does not verify: its id does not ascend",
    act: async () => {
      const [a = "", b = "", c = ""] = entryLines(3);
      const spec = { file: "audit_20261122.jsonl", stream: "moved", signer, commits: [[b, c, a]] };
      await writeSegment(bench.directory, spec);
    },
    exitCode: 1,
    says: "the entry's id does not ascend: readers cannot find it",
  },
  {
    what: "an entry that readers cannot find does not verify: its id is of another day",
    act: async () => {
      const commits = [[entryLine()]];
      const spec = { file: "audit_20261122.jsonl", stream: "moved", signer, commits };
      await writeSegment(bench.directory, { ...spec, isOfAnyDay: true });
    },
    exitCode: 1,
    says: "the entry's id is not of the file's day: readers cannot find it",
  },
  {
    what: "a segment of a day for which its key is not trusted is signed by no key that was given",
    act: async () => ({ trustedKeys: [`${signer.vkey}@2026-11-21..`] }),
    exitCode: 2,
    says: "a key that is trusted for 2026-11-21T00:00:00.000Z.. alone",
  },
  {
    what: "an old day that the newer of two keys sealed is not believed where each has its time",
    act: async () => {
      const file = "audit_20261120_001.jsonl";
      await writeSegment(bench.directory, { file, stream: "twin", signer: newer });
      return { trustedKeys: [signer.vkey, `${newer.vkey}@2026-11-22..`] };
    },
    exitCode: 2,
    says: "a key that is trusted for 2026-11-22T00:00:00.000Z.. alone",
  },
  {
    what: "a key whose time is over seals nothing any more",
    act: async () => ({ trustedKeys: [`${signer.vkey}@..2026-11-22`] }),
    exitCode: 2,
    says: "a key that is trusted for ..2026-11-22",
  },
  {
    what: "a line that was appended without the key is told",
    act: async () => {
      const file = "audit_20261122.jsonl";
      await writeSegment(bench.directory, { file, stream: "open", signer, end: "unclosed" });
      await appendFile(pathOf(file), `${entryLine()}\n`);
    },
    exitCode: 2,
    says: "1 file with lines after the last checkpoint",
  },
  {
    what: "a file that was copied as text is told",
    act: async () => {
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replaceAll("\n", "\r\n"));
    },
    exitCode: 1,
    says: "its lines end in CR LF: was it copied as text?",
  },
  {
    what: "a byte order mark is told",
    act: async () => writeFile(pathOf(OLD), `\uFEFF${await readFile(pathOf(OLD), "utf8")}`),
    exitCode: 1,
    says: "a byte order mark was put in front of the first line",
  },
  {
    what: "a file that another tool compressed is told",
    act: async () => {
      await rm(pathOf(OLD));
      await writeFile(pathOf(`${OLD}.gz`), "");
    },
    exitCode: 1,
    says: `${OLD}.gz lies beside it: was it rotated by another tool?`,
  },
  {
    what: "a file that another tool copied and emptied under its writer is told",
    act: async () => {
      const lines = (await readFile(pathOf(OLD), "utf8")).split("\n");
      await writeFile(pathOf(`${OLD}.1`), lines.slice(0, 4).join("\n"));
      await writeFile(pathOf(OLD), lines.slice(4).join("\n"));
    },
    exitCode: 1,
    says: `FORK ${OLD}: not the segment that ${NEXT} records; ${OLD}.1 lies beside it`,
  },
  {
    what: "an empty line behind the end of a file is told",
    act: async () => appendFile(pathOf(OLD), "\n"),
    exitCode: 1,
    says: "an empty line follows the end of the segment: added by an editor?",
  },
  {
    what: "a planted line of any length costs bounded memory, and hides no alteration of another",
    act: async () => {
      await plantLongLine("audit_20261122.jsonl");
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace("France", "Norway"));
    },
    exitCode: 1,
    says: `TAMPERED ${OLD}: the entry's input does not have its hash`,
  },
  {
    what: "a planted line that no writer can have written is told, and not read on",
    act: async () => plantLongLine("audit_20261122.jsonl"),
    exitCode: 2,
    says: "a line without its end at the end: more than 16777216 bytes that were never sealed",
  },
  {
    what: "any number of lines in a planted segment hides no alteration of another",
    act: async () => {
      const line = formatControlLine(prune(bench.next));
      const lines = Array.from({ length: 130_000 }, () => line); // more than a call has arguments
      const again = { type: "again", leaf: 1, first: null, last: null, count: 1 } as const;
      const repeat = formatControlLine({ ...again, file: NEXT, reason: "EIO" });
      const seen = Array.from({ length: 50_000 }, () => ({ ...bench.old, file: "gone.jsonl" }));
      const states = formatControlLine({ type: "retention.seen", seen });
      await writeSegment(bench.directory, {
        file: "audit_20261122.jsonl",
        stream: "planted",
        commits: [lines, [repeat, repeat], [states, states, states], ["{}"]],
      });
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.replace("France", "Norway"));
    },
    exitCode: 1,
    says: `TAMPERED ${OLD}: the entry's input does not have its hash`,
  },
  {
    what: "a recorded file whose lines such a line replaces is too short",
    act: async () => {
      const text = await readFile(pathOf(OLD), "utf8");
      await writeFile(pathOf(OLD), text.split("\n").slice(0, 2).join("\n") + "\n");
      await plantLongLine(OLD, false);
    },
    exitCode: 1,
    says: `ROLLBACK ${OLD}: ${NEXT} records 5 leaves`,
  },
  {
    what: "a file that another tool emptied is told",
    act: async () => {
      await writeFile(pathOf(`${OLD}.1`), await readFile(pathOf(OLD)));
      await truncate(pathOf(OLD), 0);
    },
    exitCode: 1,
    says: `${OLD}.1 lies beside it: was it rotated by another tool?`,
  },
  {
    what: "a file that is gone may have been the only one that recorded others",
    act: async () => rm(pathOf(NEXT)),
    exitCode: 1,
    says: "more may be gone: a missing file may have been the only record of others",
  },
];

/** Puts a line of 90 MB behind the lines of a file, and a line feed behind it. */
async function plantLongLine(file: string, isNew = true): Promise<void> {
  if (isNew)
    await writeSegment(bench.directory, { file, stream: "planted", signer, end: "unclosed" });
  const piece = Buffer.alloc(10 * 2 ** 20, "x");
  await appendFile(pathOf(file), '{"id":"');
  for (let count = 0; count < 9; count += 1) await appendFile(pathOf(file), piece);
  await appendFile(pathOf(file), '"}\n');
}

judges("an alteration", {
  sentences: [
    "The worst finding counts, and one bad file hides nothing.",
    "The tree says in every version whether lines were altered.",
    "What readers cannot find does not verify.",
    "Keys come from you.",
  ],
  rows: ALTERATIONS,
});
