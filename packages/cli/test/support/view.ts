// `ai-audit view` as a child process, and a session with it.
import { finish, start, type CliOptions } from "./cli.ts";

/** A viewer that serves. */
export interface Served {
  /** The answer at a path below `/api/`. */
  readonly get: (path: string) => Promise<unknown>;
  /** Ends it as Ctrl-C does, and gives its exit code. */
  readonly end: () => Promise<number | null>;
}

/** Starts `ai-audit view` with these words, and opens the address that it prints. */
export async function serve(words: readonly string[], options: CliOptions = {}): Promise<Served> {
  const running = start(["view", "--json", ...words], options);
  await running.until("}\n");
  const { url } = JSON.parse(running.output.stdout) as { url: string };
  const opened = await fetch(url, { redirect: "manual" });
  const cookie = (opened.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  return {
    get: async (path) => {
      const answer = await fetch(new URL(`/api/${path}`, url), { headers: { cookie } });
      return JSON.parse(await answer.text());
    },
    end: async () => {
      running.process.kill("SIGINT");
      return (await finish(running)).code;
    },
  };
}
