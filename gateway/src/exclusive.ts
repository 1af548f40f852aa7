/** Runs tasks one after the other, in the order in which they came. */
export class Exclusive {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#last.then(task);
    // A task that failed must not stop the next one; its own caller hears of it.
    this.#last = done.catch(() => undefined);
    return done;
  }
}
