// Child process: begins what it is told with a FileKeyStore, and dies by SIGKILL just before its
// `at`-th step on files. Exits by itself, with code 0, when there are fewer steps.
import { syncBuiltinESMExports } from "node:module";
import { once } from "node:events";
import files, { open } from "node:fs/promises";

const [path = "", action = "", at = "1"] = process.argv.slice(2);
let steps = 0;

async function step(): Promise<void> {
  steps += 1;
  if (steps !== Number(at)) return;
  process.kill(process.pid, "SIGKILL");
  await once(process, "never"); // the signal needs a moment: nothing more may be done in it
}

/** Has each of these methods count as a step before it does its work. */
function count(owner: object, names: readonly string[]): void {
  for (const name of names) {
    const method: unknown = Reflect.get(owner, name);
    if (typeof method !== "function") throw new Error(`no method ${name}`);
    const counted = async function (this: unknown, ...args: readonly unknown[]): Promise<unknown> {
      await step();
      return Reflect.apply(method, this, args);
    };
    Reflect.set(owner, name, counted);
  }
}

const file = await open("/dev/null");
await file.close();
count(Object.getPrototypeOf(file), ["write", "writeFile", "sync", "truncate"]);
count(files, ["link", "mkdir", "mkdtemp", "open", "rename", "rm", "rmdir"]);
syncBuiltinESMExports();
const { FileKeyStore } = await import("../../src/keys/file-key-store.ts");

const store = new FileKeyStore({ path });
if (action === "obtain") await store.obtain(["under-v2", "under-v1"]);
else await store.destroy(["under-v2", "under-v1"]);
