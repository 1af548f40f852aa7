import { AsyncLocalStorage } from "node:async_hooks";
import type { webcrypto } from "node:crypto";

/** Fills the array, as `crypto.getRandomValues` does. */
export type RandomSource = (array: Uint8Array) => void;

type GetRandomValues = webcrypto.Crypto["getRandomValues"];

const scope = new AsyncLocalStorage<RandomSource>();
let open = 0;

/**
 * Runs `task` with `source` in place of `crypto.getRandomValues`, for what the task itself calls and awaits and for
 * nothing else in the process: the choice is made by asynchronous context, so whatever runs beside the task still gets
 * real randomness. While no task is open the platform's function is untouched.
 *
 * Why at all: a run with a seed has to repeat every byte, bills' ciphertexts included, and age-encryption takes no
 * source of randomness of its own, its generators call noble's `randomBytes`, which calls this function. The
 * alternatives were a second implementation of the age format or ciphertexts that differ in each run. It is called only
 * where a run has a seed, whose secrets are no secrets.
 */
export async function withRandomness<T>(source: RandomSource, task: () => Promise<T>): Promise<T> {
  enter();
  try {
    return await scope.run(source, task);
  } finally {
    leave();
  }
}

function enter(): void {
  open += 1;
  if (open > 1) return;
  const platform = crypto.getRandomValues.bind<GetRandomValues>(crypto);
  const scoped: GetRandomValues = (array) => {
    const source = scope.getStore();
    if (source === undefined || !(array instanceof Uint8Array)) return platform(array);
    source(array);
    return array;
  };
  // An own property hides the prototype's method; deleting it brings that back.
  Object.defineProperty(crypto, "getRandomValues", { value: scoped, configurable: true });
}

function leave(): void {
  open -= 1;
  if (open === 0) Reflect.deleteProperty(crypto, "getRandomValues");
}
