// Data of the server within a component.
import { useEffect, useState } from "preact/hooks";
import { ask, type Loaded } from "./server.ts";

/**
 * The answer at a path, asked for again when the path or `turn` changes. The old answer stays until
 * the new one is there.
 */
export function useServer<T>(path: string | undefined, turn = 0): Loaded<T> {
  const [answer, setAnswer] = useState<{
    readonly path: string | undefined;
    readonly loaded: Loaded<T>;
  }>({ path, loaded: { state: "loading" } });
  useEffect(() => {
    if (path === undefined) return undefined;
    const asking = new AbortController();
    ask<T>(path, asking.signal)
      .then((value) => setAnswer({ path, loaded: { state: "ready", value } }))
      .catch((error: unknown) => {
        if (asking.signal.aborted) return;
        setAnswer({
          path,
          loaded: {
            state: "failed",
            message: error instanceof Error ? error.message : String(error),
          },
        });
      });
    return () => asking.abort();
  }, [path, turn]);
  return answer.path === path || answer.loaded.state === "ready"
    ? answer.loaded
    : { state: "loading" };
}
