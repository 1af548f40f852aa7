import { Audit, MemoryStore, type Level } from "@veilgrid/gateway";
import { isVeilgridError, type Facts } from "@veilgrid/protocol";
import type { Message } from "./network.js";
import type { Plan } from "./plan.js";
import { RealWork } from "./real-work.js";
import type { Scenario } from "./scenario.js";
import { Town } from "./town.js";
import { judgeBills } from "./verdict/bills.js";
import { LedgerVerdict } from "./verdict/ledger.js";
import { isSettled, judgeLeftovers, judgePeers, unsettled } from "./verdict/standing.js";
import { Truth } from "./verdict/truth.js";
import { Witnesses } from "./witness/witnesses.js";
import type { Violation } from "./witness/violation.js";

/** After the calm everything must be done within two hours. */
const BOUND_MS = 7_200_000;
const LOOK_MS = 30_000;
/** When everything is done nobody has anything to say after so long, for so long. */
const LAST_WORDS_MS = 900_000;
const SILENCE_MS = 1_200_000;

/** What a run came to. */
export interface Outcome {
  readonly scenario: Scenario;
  readonly violations: readonly Violation[];
  /** Stands for every moment of the run and all that is on the ledger. */
  readonly digest: string;
  /** Moments of virtual time. */
  readonly steps: number;
  /** Virtual milliseconds from the calm until everything was done; undefined where it never was. */
  readonly settledMs: number | undefined;
  readonly blocks: number;
  readonly receipts: number;
  readonly deaths: number;
}

/** What a run is watched by, and played with. */
export interface SimulateOptions {
  readonly plan?: Plan;
  /** Hears of everything, for `--trace`. */
  readonly trace?: (line: string) => void;
}

function describeFacts(facts: Facts = {}): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(" ");
}

/** A run in the making. */
class Simulation {
  readonly #town: Town;
  readonly #witnesses: Witnesses;
  readonly #truth: Truth;

  constructor(town: Town, witnesses: Witnesses) {
    this.#town = town;
    this.#witnesses = witnesses;
    this.#truth = new Truth(town.consortium);
  }

  async run(): Promise<Outcome> {
    const { timeline, calmAt } = this.#town;
    this.#town.begin();
    await timeline.run(calmAt);
    const settledMs = await this.#settle();
    if (settledMs !== undefined) await this.#listen();
    await this.#judge(settledMs !== undefined);
    return this.#outcome(settledMs);
  }

  /** Runs until everything is done. */
  async #settle(): Promise<number | undefined> {
    const { timeline, calmAt } = this.#town;
    const view = this.#town.view("Kgcbp");
    while (timeline.now() < calmAt + BOUND_MS) {
      await timeline.run(timeline.now() + LOOK_MS);
      if (await isSettled(this.#town, view)) return timeline.now() - calmAt;
    }
    this.#witnesses.accuse("everything-done", `still missing: ${await unsettled(this.#town, view)}`);
    return undefined;
  }

  /** When nothing is due, nobody repeats anything. */
  async #listen(): Promise<void> {
    const { timeline } = this.#town;
    await timeline.run(timeline.now() + LAST_WORDS_MS);
    const heard = this.#witnesses.listen();
    await timeline.run(timeline.now() + SILENCE_MS);
    for (const what of new Set(heard())) this.#witnesses.accuse("silence", what);
  }

  async #judge(isDone: boolean): Promise<void> {
    const { consortium, content } = this.#town;
    const view = this.#town.view("Kgcbp");
    const { accuse, receipts, releases } = this.#witnesses;
    const modules = { consortium, view, truth: this.#truth, content };
    await new LedgerVerdict(accuse, modules).judge(receipts.all, releases.all);
    await this.#audit();
    if (!isDone) return;
    judgePeers(accuse, this.#town);
    judgeLeftovers(accuse, this.#town);
    if (consortium.scenario.billed > 0) await judgeBills(accuse, modules);
  }

  async #audit(): Promise<void> {
    const audit = new Audit(new MemoryStore());
    for (const block of this.#town.channel.blocks) await audit.add(block);
    for (const { code, message } of audit.report.findings) this.#witnesses.accuse("audit", `${code}: ${message}`);
  }

  #outcome(settledMs: number | undefined): Outcome {
    const { scenario, timeline, channel } = this.#town;
    const { violations, receipts, deaths } = this.#witnesses;
    const digest = `${timeline.digest}-${channel.blocks.length}`;
    const counts = { steps: timeline.steps, blocks: channel.blocks.length, receipts: receipts.all.length, deaths };
    return { scenario, violations, digest, settledMs, ...counts };
  }
}

/** Runs a scenario and judges it. */
export function simulate(scenario: Scenario, { plan, trace }: SimulateOptions = {}): Promise<Outcome> {
  const work = new RealWork();
  return work.withCryptography(async () => {
    const witnesses = new Witnesses(scenario);
    const said = (who: string, what: string): void => trace?.(`${witnesses.clock()} ${who} ${what}`);
    const town = await Town.open(scenario, {
      work,
      ...(plan === undefined ? {} : { plan }),
      onMessage: (message: Message) => {
        witnesses.hear(message);
      },
      onFailure: (name, error) => {
        const code = isVeilgridError(error) ? error.code : String(error);
        said(name, `THREW ${error instanceof Error ? (error.stack ?? code) : code}`);
        witnesses.accuse("no-role-throws", `${name}: ${code}`);
      },
      log: (name: string, level: Level, event: string, facts?: Facts) => {
        const line = `${event} ${describeFacts(facts)}`;
        witnesses.read(name, line);
        said(name, `${level} ${line}`);
      },
    });
    witnesses.attend(town);
    if (trace !== undefined)
      town.timeline.onStep = (_, label) => {
        said("·", label);
      };
    try {
      return await new Simulation(town, witnesses).run();
    } finally {
      await town.close();
    }
  });
}
