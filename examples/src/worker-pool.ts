// Several processes or threads log to one directory. Each writes files of its own: there is no lock.
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { once } from "node:events";
import { AuditLogger, verifyLog } from "@ai-audit/core";

const path = "./audit-logs/pool";
if (isMainThread) {
  const workers = [1, 2, 3].map(
    (number) => new Worker(import.meta.filename, { workerData: number }),
  );
  await Promise.all(workers.map((worker) => once(worker, "exit")));
  const logger = new AuditLogger(path);
  console.log(await logger.count(), "entries by", workers.length, "workers");
  await logger.close();
  const { entries, files } = await verifyLog(path);
  console.log(entries, "entries in", files.length, "files are as they were written");
} else {
  const logger = new AuditLogger(path);
  const calls = Array.from({ length: 100 }, (_, n) =>
    logger.log({ input: `Task ${n}`, output: "done", metadata: { worker: Number(workerData) } }),
  );
  await Promise.all(calls);
  await logger.close();
}
