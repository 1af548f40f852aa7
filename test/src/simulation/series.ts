import { command, shrink } from "./shrink.js";
import { scenarioOf, withSettings, type Setting } from "./scenario.js";
import { simulate, type Outcome, type SimulateOptions } from "./simulate.js";

/** Where progress goes. */
export interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** How often a line of progress comes where there is no terminal. */
const PLAIN_EVERY_MS = 10_000;

/** Many seeds, one after the other. */
export class Series {
  readonly #settings: Readonly<Partial<Record<Setting, number>>>;
  readonly #isJson: boolean;
  readonly #out: Output;
  readonly #options: SimulateOptions;
  #told = 0;

  constructor(
    options: { readonly settings?: Readonly<Partial<Record<Setting, number>>>; readonly json?: boolean },
    modules: { readonly out: Output; readonly simulation?: SimulateOptions },
  ) {
    this.#settings = options.settings ?? {};
    this.#isJson = options.json ?? false;
    this.#out = modules.out;
    this.#options = modules.simulation ?? {};
  }

  /** Runs `count` seeds from `from` on. @returns how many failed. */
  async run(from: number, count: number): Promise<number> {
    const began = performance.now();
    const failed: number[] = [];
    let steps = 0;
    let hostile = 0;
    for (let seed = from; seed < from + count; seed += 1) {
      const outcome = await simulate(withSettings(scenarioOf(seed), this.#settings), this.#options);
      steps += outcome.steps;
      hostile += Number(outcome.scenario.hostile > 0);
      if (this.#isJson) this.#line(JSON.stringify(outcome));
      if (outcome.violations.length > 0) {
        failed.push(seed);
        await this.#report(outcome);
      }
      this.#progress(seed + 1 - from, count, failed.length);
    }
    const seconds = (performance.now() - began) / 1000;
    if (this.#isJson) this.#line(JSON.stringify({ seeds: count, from, hostile, steps, failed, seconds }));
    else
      this.#line(
        `${count} seeds from ${from}, ${hostile} with hostile aggregators, ${steps} moments, ${seconds.toFixed(0)} s: ${failed.length === 0 ? "no invariant violated" : `${failed.length} failed (${failed.join(", ")})`}`,
      );
    return failed.length;
  }

  async #report(outcome: Outcome): Promise<void> {
    if (this.#isJson) return;
    const { seed } = outcome.scenario;
    for (const { invariant, what, at } of outcome.violations) {
      this.#line(`seed ${seed}: ${invariant} at ${(at / 1000).toFixed(3)} s: ${what}`);
    }
    const small = await shrink(outcome, this.#options);
    this.#line(`seed ${seed} made smaller: ${command(small)}`);
  }

  #line(text: string): void {
    this.#out.write(`${this.#out.isTTY === true ? "\r\u001b[K" : ""}${text}\n`);
  }

  #progress(done: number, count: number, failed: number): void {
    if (this.#isJson) return;
    const text = `${done} of ${count} seeds, ${failed} failed`;
    if (this.#out.isTTY === true) {
      this.#out.write(`\r\u001b[K${text}${done === count ? "\n" : ""}`);
      return;
    }
    const now = performance.now();
    if (now - this.#told < PLAIN_EVERY_MS) return;
    this.#told = now;
    this.#line(text);
  }
}
