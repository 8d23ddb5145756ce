// A directory that begins a new file at a size, and memory for tests.
import { readdir } from "node:fs/promises";
import { AuditLogger, FileStorage, MemoryStorage } from "@ai-audit/core";

const storage = new FileStorage({ path: "./audit-logs/rotating", rotationSizeMb: 1 });
const logger = new AuditLogger(storage, { storeContent: true });
const page = "lorem ipsum ".repeat(50_000); // 600 kB
for (let call = 0; call < 3; call += 1) await logger.log({ input: page, output: "read" });
await logger.close();
console.log((await readdir("./audit-logs/rotating")).length, "files");

const inMemory = new AuditLogger(new MemoryStorage({ maxEntries: 1_000 }));
await inMemory.log({ input: "Hello!", output: "Hi.", outcome: "ok" });
console.log(await inMemory.count(), "entry in memory, gone with the process");
await inMemory.close();
