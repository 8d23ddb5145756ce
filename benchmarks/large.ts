// An entry of 4 MB, as calls with images leave: beside the passes over it that cannot be saved.
//
//   npm run bench -- large
import { hash } from "node:crypto";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { AuditLogger, FileStorage, Signer } from "@ai-audit/core";
import { inProcesses, medianOf, type Subject, timed } from "./support/processes.ts";
import { publish } from "./support/table.ts";

const isQuick = process.env["BENCH_QUICK"] === "1";
const CALLS = isQuick ? 10 : 40;
const image = Buffer.alloc(3 * 2 ** 20, 7).toString("base64"); // 4 MiB of base64
const input = [{ role: "user", content: [{ type: "text", text: "What is it?" }, { image }] }];

function pass(): void {
  const text = JSON.stringify(input);
  const line = JSON.stringify({ input: text, output: "A square." });
  hash("sha256", text);
  hash("sha256", Buffer.from(line));
}

const floor: Subject = async () => {
  pass();
  const { cpuUs } = await timed(CALLS, async () => {
    for (let n = 0; n < CALLS; n += 1) pass();
  });
  return { cpu: cpuUs / 1000 };
};

function logging(storeContent: boolean): Subject {
  return async (path) => {
    const signer = await Signer.generate("bench");
    const logger = new AuditLogger(new FileStorage({ path, durability: "os", signer }), {
      storeContent,
    });
    const entry = { input, output: "A square.", model: "m", provider: "p" };
    await logger.log(entry);
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const { cpuUs } = await timed(CALLS, async () => {
      for (let n = 0; n < CALLS; n += 1) await logger.log(entry);
    });
    delay.disable();
    await logger.close();
    return { cpu: cpuUs / 1000, pause: delay.max / 1e6 };
  };
}

const measured = await inProcesses(
  import.meta.filename,
  { floor, stored: logging(true), "hash-only": logging(false) },
  isQuick ? 1 : 3,
);
const figure = (subject: string, name: string): number =>
  medianOf(measured.get(subject) ?? [], name);
const row = (name: string, subject: string): string[] => [
  name,
  figure(subject, "cpu").toFixed(1),
  (figure(subject, "cpu") / figure("floor", "cpu")).toFixed(2),
  Number.isNaN(figure(subject, "pause")) ? "" : figure(subject, "pause").toFixed(1),
];
publish({
  title: "An entry of 4 MiB",
  about:
    "Least work: the content and the line as JSON, both hashed, the line as bytes. Pause: the event loop's longest.",
  columns: ["", "ms CPU", "of the least work", "longest pause, ms"],
  rows: [
    row("least work", "floor"),
    row("log(), content stored", "stored"),
    row("log(), hash-only", "hash-only"),
  ],
});
