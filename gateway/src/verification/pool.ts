import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { VeilgridError, schnorr } from "@veilgrid/protocol";
import { silent, type Log } from "../ports/log.js";
import type { SignatureCheck, Verifier } from "../ports/verifier.js";
import { isWhole, packed, verdictsOn } from "./packed.js";

/**
 * Checks that one message to a thread carries at most: with the native engine some 2 ms of work, beside which the
 * message's way of some 50 µs is little, and a single reading waits no longer for its turn.
 */
const BATCH = 64;
/** Half a second's work of one thread: whoever asks for more is told to come again. */
const WAITING = 8_192;
/** A thread that dies so often is not started again; the process checks for itself. */
const MOST_DEATHS = 16;

/** How a pool works. */
export interface VerificationOptions {
  /** Threads; by default one for each processor but one, and at least one. With 0 the process checks for itself. */
  readonly threads?: number;
  /** How many checks may wait. */
  readonly waiting?: number;
}

/** Checks of one call, and what became of them. */
interface Order {
  readonly checks: readonly SignatureCheck[];
  readonly verdicts: boolean[];
  left: number;
  readonly done: (verdicts: readonly boolean[]) => void;
}

/** One check of an order. */
interface Place {
  readonly order: Order;
  readonly index: number;
}

interface Thread {
  readonly worker: Worker;
  batch: readonly Place[] | undefined;
}

/**
 * Signatures checked in worker threads, so that the event loop is free for everything else: batches go to whichever
 * thread is idle. Its queue is bounded. Where no thread can be had the calling thread does it, batch by batch.
 */
export class VerificationPool implements Verifier {
  readonly #most: number;
  readonly #log: Log;
  readonly #threads = new Set<Thread>();
  #queue: Place[] = [];
  #taken = 0;
  #deaths = 0;
  #isAlone = false;
  #isStopped = false;

  constructor({ threads, waiting }: VerificationOptions = {}, modules: { readonly log?: Log } = {}) {
    this.#most = waiting ?? WAITING;
    this.#log = modules.log ?? silent;
    const count = threads ?? Math.max(1, availableParallelism() - 1);
    for (let i = 0; i < count; i += 1) this.#start();
  }

  /** How many checks wait for a thread. */
  get waiting(): number {
    return this.#queue.length - this.#taken;
  }

  /** How many threads there are. */
  get threads(): number {
    return this.#threads.size;
  }

  verify(checks: readonly SignatureCheck[]): Promise<readonly boolean[]> {
    if (this.#isStopped || this.waiting + checks.length > this.#most) return Promise.reject(busy(this.waiting));
    const whole = checks.flatMap((check, index) => (isWhole(check) ? [index] : []));
    const verdicts = checks.map(() => false);
    if (whole.length === 0) return Promise.resolve(verdicts);
    return new Promise((done) => {
      const order: Order = { checks, verdicts, left: whole.length, done };
      for (const index of whole) this.#queue.push({ order, index });
      this.#hand();
    });
  }

  /** Ends the threads. What waits is answered by this thread. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const threads = [...this.#threads];
    this.#threads.clear();
    const left = threads.flatMap(({ batch }) => batch ?? []);
    for (const thread of threads) thread.batch = undefined;
    for (const batch of [left, this.#queue.slice(this.#taken)])
      this.#settle(batch, verdictsOn(packed(checksOf(batch))));
    this.#queue = [];
    this.#taken = 0;
    await Promise.all(threads.map(({ worker }) => worker.terminate()));
  }

  #start(): void {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { workerData: { engine: schnorr.name } });
    // It does not keep the process alive.
    worker.unref();
    const thread: Thread = { worker, batch: undefined };
    this.#threads.add(thread);
    worker.on("message", (verdicts: Uint8Array) => {
      const batch = thread.batch ?? [];
      thread.batch = undefined;
      this.#settle(batch, verdicts);
      this.#hand();
    });
    worker.on("error", (error) => {
      this.#log("warn", "verification-thread-failed", { why: String(error) });
    });
    worker.on("exit", () => {
      this.#died(thread);
    });
  }

  /** A thread is gone: what it had is checked again. */
  #died(thread: Thread): void {
    if (!this.#threads.delete(thread)) return;
    this.#deaths += 1;
    this.#queue = [...(thread.batch ?? []), ...this.#queue.slice(this.#taken)];
    this.#taken = 0;
    if (this.#deaths <= MOST_DEATHS) this.#start();
    else this.#log("error", "verification-without-threads", { deaths: this.#deaths });
    this.#hand();
  }

  /** Gives what waits to whoever is idle. */
  #hand(): void {
    for (const thread of this.#threads) {
      if (this.waiting === 0) return;
      if (thread.batch !== undefined) continue;
      thread.batch = this.#take();
      const bytes = packed(checksOf(thread.batch));
      thread.worker.postMessage(bytes, [bytes.buffer]);
    }
    if (this.#threads.size === 0 && this.waiting > 0) this.#work();
  }

  #take(): Place[] {
    const batch = this.#queue.slice(this.#taken, this.#taken + BATCH);
    this.#taken += batch.length;
    // The queue is cut when more than half of it is gone, not for each batch.
    if (this.#taken * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
    return batch;
  }

  /** A batch by this thread, which does other things between two. */
  #work(): void {
    if (this.#isAlone) return;
    this.#isAlone = true;
    setImmediate(() => {
      this.#isAlone = false;
      const batch = this.#take();
      this.#settle(batch, verdictsOn(packed(checksOf(batch))));
      this.#hand();
    });
  }

  #settle(batch: readonly Place[], verdicts: Uint8Array): void {
    batch.forEach(({ order, index }, i) => {
      order.verdicts[index] = verdicts[i] === 1;
      order.left -= 1;
      if (order.left === 0) order.done(order.verdicts);
    });
  }
}

function checksOf(batch: readonly Place[]): SignatureCheck[] {
  return batch.map(({ order, index }) => order.checks[index] as SignatureCheck);
}

function busy(waiting: number): VeilgridError {
  return new VeilgridError("verification-busy", "too many signatures wait to be checked", {
    facts: { waiting },
    blame: "nobody",
    retry: true,
  });
}
