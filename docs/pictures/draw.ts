// node docs/pictures/draw.ts: writes every picture of the documentation beside this file.
import { readFileSync, writeFileSync } from "node:fs";
import { arrow, box, label, picture, terminal } from "./drawing.ts";

const GREEN = "#e7f5ea";
const RED = "#fdecea";
const YELLOW = "#fff6dd";

/** The pictures by file name. */
export const PICTURES: Readonly<Record<string, string>> = {
  "chain.svg": picture(
    860,
    190,
    "A call becomes an entry, a commit, a checkpoint and a segment; a pin keeps a checkpoint elsewhere",
    [
      box(20, 60, 110, 60, ["call", "model, tool"]),
      arrow(130, 90, 180, 90),
      box(180, 60, 120, 60, ["entry", "one JSON line"]),
      arrow(300, 90, 350, 90),
      box(350, 30, 220, 130, [
        "segment: one file",
        "entry",
        "entry",
        "checkpoint (signed)",
        "entry",
        "checkpoint (signed)",
      ]),
      arrow(570, 90, 650, 90, "keep"),
      box(650, 60, 190, 60, ["pin", "elsewhere, by an auditor"], GREEN),
    ],
  ),
  "roles.svg": picture(
    860,
    240,
    "The application signs, the auditor verifies, an attacker with the disk is found",
    [
      box(20, 30, 200, 70, ["application", "signing key, content key"]),
      box(330, 30, 200, 70, ["log", "sealed lines"], YELLOW),
      box(640, 30, 200, 70, ["auditor", "vkey, pins"], GREEN),
      arrow(220, 65, 330, 65, "writes, signs"),
      arrow(640, 65, 530, 65, "verifies"),
      box(330, 150, 200, 70, ["attacker", "the disk, no key"], RED),
      arrow(430, 150, 430, 100),
      label(450, 132, "changes bytes: TAMPERED, MISSING"),
    ],
  ),
  "keys.svg": picture(
    860,
    270,
    "The master key gives each writer a key; a person's key needs the person's secret too; the signing key stands alone",
    [
      box(20, 30, 200, 60, ["master key", "from your secret store"], YELLOW),
      arrow(220, 60, 320, 60, "derives"),
      box(320, 30, 220, 60, ["key of one writer", "encrypts, keys hashes"]),
      arrow(120, 90, 320, 150),
      box(320, 130, 220, 60, ["key of writer and person", "one person's content"]),
      box(600, 130, 220, 60, ["secret of one person", "erasing destroys it"], RED),
      arrow(600, 160, 540, 160),
      box(20, 200, 200, 50, ["signing key", "seals"], GREEN),
      arrow(220, 225, 320, 225),
      box(320, 200, 220, 50, ["vkey", "public, verifies"], GREEN),
    ],
  ),
  "ship.svg": picture(
    860,
    210,
    "Shipping goes through the local disk; writing directly goes to the bucket",
    [
      label(20, 28, "Ship: acknowledged by the disk", 600),
      box(20, 40, 180, 50, ["process"]),
      arrow(200, 65, 340, 65, "commit"),
      box(340, 40, 180, 50, ["disk"], YELLOW),
      arrow(520, 65, 660, 65, "closed segments"),
      box(660, 40, 180, 50, ["bucket"], GREEN),
      label(20, 128, "Directly: acknowledged by the bucket", 600),
      box(20, 140, 180, 50, ["process"]),
      arrow(200, 165, 660, 165, "commit"),
      box(660, 140, 180, 50, ["bucket"], GREEN),
    ],
  ),
  "verdict.svg": picture(
    860,
    200,
    "A verdict answers three questions and ends with an exit code from 0 to 3",
    [
      box(20, 30, 250, 60, ["integrity", "are these the sealed lines?"]),
      box(305, 30, 250, 60, ["completeness", "is anything recorded missing?"]),
      box(590, 30, 250, 60, ["anchoring", "who confirms it from outside?"]),
      box(20, 120, 190, 55, ["0 proven", "OK, OPEN, PRUNED"], GREEN),
      box(230, 120, 190, 55, ["1 altered", "TAMPERED, MISSING"], RED),
      box(440, 120, 190, 55, ["2 not proven", "UNSIGNED, UNCLOSED"], YELLOW),
      box(650, 120, 190, 55, ["3 no verdict", "nothing readable"]),
    ],
  ),
  "demo.svg": terminal(
    readFileSync(new URL("demo.txt", import.meta.url), "utf8")
      .trimEnd()
      .split("\n"),
    [
      ["$ ", "#8ab4f8"],
      ["OK:", "#7ee787"],
      ["TAMPERED", "#ff7b72"],
      ["blocked", "#ffa657"],
    ],
  ),
};

if (process.argv[1] === import.meta.filename)
  for (const [name, drawn] of Object.entries(PICTURES))
    writeFileSync(new URL(name, import.meta.url), drawn);
