// Runs statements in ClickHouse, in a process of its own: the library blocks its event loop.
// node clickhouse.mjs < statements: prints the last statement's rows as JSON lines.
import { text } from "node:stream/consumers";
import { Session } from "chdb";

const session = new Session();
const statements = (await text(process.stdin)).split(/;\s*\n/).filter((one) => one.trim() !== "");
let answer = "";
for (const statement of statements) answer = session.query(statement, "JSONEachRow");
process.stdout.write(answer);
session.cleanup();
