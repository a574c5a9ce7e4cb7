// A few requests at a time, the newest wish first, and none for what nobody looks at any more.

type Work = (signal: AbortSignal) => Promise<void>;

export class Queue<K> {
  readonly #most: number;
  readonly #waiting = new Map<K, Work>();
  readonly #running = new Map<K, AbortController>();

  constructor(most: number) {
    this.#most = most;
  }

  /** add puts work into the queue, unless work with that key is there already. */
  add(key: K, work: Work): void {
    if (this.#running.has(key)) return;
    this.#waiting.set(key, work);
    this.#next();
  }

  /** keep drops and aborts everything whose key is not wanted. */
  keep(wanted: (key: K) => boolean): void {
    for (const key of this.#waiting.keys()) if (!wanted(key)) this.#waiting.delete(key);
    for (const [key, abort] of this.#running) if (!wanted(key)) abort.abort();
  }

  get idle(): boolean {
    return this.#waiting.size === 0 && this.#running.size === 0;
  }

  #next(): void {
    for (const [key, work] of this.#waiting) {
      if (this.#running.size >= this.#most) return;
      this.#waiting.delete(key);
      const abort = new AbortController();
      this.#running.set(key, abort);
      // Work reports its own failures; here it only has to end.
      void work(abort.signal)
        .catch(() => {})
        .finally(() => {
          this.#running.delete(key);
          this.#next();
        });
    }
  }
}
