// A stream that hands out each part as it comes, and its end when the entry is written.

/** Told of a stream's parts and of its one end. */
export interface StreamObserver {
  /** The stream is garbage before its end: nobody can read on. */
  watch(stream: ReadableStream<unknown>): void;
  part(part: unknown): void;
  /** Rejects when the reader must not learn that the stream is whole. */
  finish(): Promise<void>;
  /** Resolves to the error that the reader gets. */
  fail(error: unknown): Promise<unknown>;
  /** The reader stopped, for this reason. */
  stop(reason: unknown): Promise<void>;
}

/** The same stream, observed. Reads a part only when its reader asks for one. */
export function observed<T>(
  reader: ReadableStreamDefaultReader<T>,
  observer: StreamObserver,
): ReadableStream<T> {
  let isCancelled = false;
  return new ReadableStream<T>(
    {
      async pull(controller) {
        let next: Awaited<ReturnType<typeof reader.read>>;
        try {
          next = await reader.read();
        } catch (error) {
          if (isCancelled) return;
          controller.error(await observer.fail(error));
          return;
        }
        if (isCancelled) return; // a read that waited has ended by that
        if (next.done) {
          await observer.finish(); // a rejection is the reader's error
          controller.close();
          return;
        }
        observer.part(next.value);
        controller.enqueue(next.value);
      },
      async cancel(reason) {
        isCancelled = true;
        try {
          await reader.cancel(reason);
        } finally {
          await observer.stop(reason);
        }
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Observes a stream without replacing it: the SDK gives its integrations a copy of the result that
 * holds the stream itself.
 */
export function observeInPlace<T>(stream: ReadableStream<T>, observer: StreamObserver): void {
  const getReader = stream.getReader.bind(stream);
  let inner: ReadableStream<T> | undefined;
  const through = (): ReadableStream<T> => (inner ??= observed(getReader(), observer));
  for (const name of ["getReader", "pipeThrough", "pipeTo", "tee", "cancel", "values"] as const)
    Object.defineProperty(stream, name, {
      configurable: true,
      value: (...given: readonly unknown[]): unknown => {
        const target = through();
        return Reflect.apply(target[name], target, [...given]);
      },
    });
  Object.defineProperty(stream, Symbol.asyncIterator, {
    configurable: true,
    value: () => through()[Symbol.asyncIterator](),
  });
  Object.defineProperty(stream, "locked", {
    configurable: true,
    get: () => inner?.locked ?? false,
  });
}
