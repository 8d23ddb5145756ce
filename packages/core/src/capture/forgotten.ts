// Reports calls that can no longer finish: the objects their callers held are garbage.

const registry = new FinalizationRegistry<() => void>((forgotten) => forgotten());

/** Watches one object at a time. `forgotten` must not hold it, or it could never be forgotten. */
export class ForgottenWatch {
  readonly #forgotten: () => void;
  #watching = false;

  constructor(forgotten: () => void) {
    this.#forgotten = forgotten;
  }

  /** Watches this object in place of the former one. */
  watch(target: object): void {
    this.stop();
    this.#watching = true;
    registry.register(target, this.#forgotten, this);
  }

  stop(): void {
    if (this.#watching) registry.unregister(this);
    this.#watching = false;
  }
}
