// A storage of your own: implement AuditStorage, then run the contract on it.
import { AuditLogger, type AuditStorage, MemoryStorage } from "@ai-audit/core";
import { storageContract } from "@ai-audit/core/testing";

/** Keeps lines where `inner` does, and counts them for a metric. */
class CountingStorage implements AuditStorage {
  readonly #inner: AuditStorage;
  readonly stream: string;
  readonly durable: boolean;
  lines = 0;

  constructor(inner: AuditStorage) {
    this.#inner = inner;
    this.stream = inner.stream;
    this.durable = inner.durable;
  }
  async append(line: string, id?: string): Promise<void> {
    await this.#inner.append(line, id);
    this.lines += 1;
  }
  lose: AuditStorage["lose"] = (id, reason) => this.#inner.lose(id, reason);
  get: AuditStorage["get"] = (id) => this.#inner.get(id);
  pages: AuditStorage["pages"] = (...given) => this.#inner.pages(...given);
  count: AuditStorage["count"] = (range) => this.#inner.count(range);
  prune: AuditStorage["prune"] = (options) => this.#inner.prune(options);
  status: AuditStorage["status"] = () => this.#inner.status();
  flush: AuditStorage["flush"] = () => this.#inner.flush();
  close: AuditStorage["close"] = () => this.#inner.close();
}

const storage = new CountingStorage(new MemoryStorage());
const logger = new AuditLogger(storage);
await logger.log({ input: "Hello!", output: "Hi." });
console.log(storage.lines, "line");
await logger.close();

const contract = storageContract(async () => ({
  storage: new CountingStorage(new MemoryStorage()),
}));
for (const { run } of contract) await run(); // in your test framework: test(title, run)
console.log("the contract holds");
