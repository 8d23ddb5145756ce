// Watches the values of an async iterator, without taking any that its reader does not take.

/** Called with each value and at the end. */
export interface Watcher {
  /** The call may still end. */
  readonly open: boolean;
  /** A value passes. Must not throw. */
  value(value: unknown): void;
  /**
   * There are no more values, or the reader stopped before. The reader's turn ends when this does.
   */
  end(stopped: boolean): Promise<void>;
  /** Reading failed. Resolves to the error that the reader gets. */
  fail(error: unknown): Promise<unknown>;
}

/**
 * Puts the iterator's methods through the watcher. It stays the same object, since an async
 * generator is also iterable and disposable; each `next()` is one `next()` of its own.
 */
export function watchIterator(iterator: AsyncIterator<unknown>, watcher: Watcher): void {
  const next = iterator.next.bind(iterator);
  const stop = iterator.return?.bind(iterator);
  const raise = iterator.throw?.bind(iterator);
  const look = lookAt<IteratorResult<unknown>>(watcher);
  const fail = failWith(watcher);
  // Few readers pass anything on: without arguments there is nothing to copy for each value.
  iterator.next = (...args) => (args.length === 0 ? next() : next(...args)).then(look, fail);
  if (stop) {
    iterator.return = (...args) =>
      stop(...args).then(async (result) => {
        if (watcher.open) await watcher.end(true);
        return result;
      }, fail);
  }
  if (raise) iterator.throw = (...args) => raise(...args).then(look, fail);
}

/** Hands a result on once the watcher saw it. */
export function lookAt<R extends { readonly done?: boolean | undefined; readonly value?: unknown }>(
  watcher: Watcher,
): (result: R) => R | Promise<R> {
  return (result) => {
    if (!result.done) {
      watcher.value(result.value);
      return result;
    }
    return watcher.open ? watcher.end(false).then(() => result) : result;
  };
}

/** Hands an error on once the watcher saw it. */
export function failWith(watcher: Watcher): (error: unknown) => Promise<never> {
  return async (error) => {
    throw watcher.open ? await watcher.fail(error) : error;
  };
}
