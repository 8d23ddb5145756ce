// Several requests at once, but not too many.

/** Maps with at most `limit` calls under way; results are in the order of the items. Rejects with the first error. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  for await (const result of mapInOrder(items, limit, map)) results.push(result);
  return results;
}

/** The same as a stream: at most `limit` results are under way or waiting to be taken. */
export async function* mapInOrder<T, R>(
  items: Iterable<T>,
  limit: number,
  map: (item: T) => Promise<R>,
): AsyncGenerator<R, void, void> {
  const ahead: Promise<R>[] = [];
  try {
    for (const item of items) {
      const result = map(item);
      result.catch(() => undefined); // it rejects where it is taken
      ahead.push(result);
      const first = ahead.length >= limit ? ahead.shift() : undefined;
      if (first) yield await first;
    }
    while (ahead.length > 0) {
      const first = ahead.shift();
      if (first) yield await first;
    }
  } finally {
    await Promise.allSettled(ahead); // a consumer that leaves early leaves no request behind
  }
}
