import { laterSecretOf, secretOf } from "../consortium.js";
import type { Message } from "../network.js";
import type { Scenario } from "../scenario.js";
import type { Town } from "../town.js";
import { Truth } from "../verdict/truth.js";
import { Privacy } from "./privacy.js";
import { Promises } from "./promises.js";
import { Receipts } from "./receipts.js";
import { Releases } from "./releases.js";
import type { Accuse, Violation } from "./violation.js";

/** More of one sort say nothing more. */
const MOST_OF_ONE = 5;

interface Attending {
  readonly town: Town;
  readonly promises: Promises;
  readonly receipts: Receipts;
  readonly releases: Releases;
  readonly privacy: Privacy;
}

/** Everything that is watched while a run lasts. */
export class Witnesses {
  readonly #scenario: Scenario;
  readonly #violations: Violation[] = [];
  #attending: Attending | undefined;
  #overheard: string[] | undefined;
  deaths = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  get receipts(): Receipts {
    return this.#at.receipts;
  }

  get releases(): Releases {
    return this.#at.releases;
  }

  get #at(): Attending {
    if (this.#attending === undefined) throw new Error("there is no town yet");
    return this.#attending;
  }

  readonly accuse: Accuse = (invariant, what) => {
    const at = this.#attending === undefined ? 0 : this.#at.town.timeline.now() - this.#at.town.start;
    if (this.#violations.filter((one) => one.invariant === invariant).length >= MOST_OF_ONE) return;
    this.#violations.push({ invariant, what, at });
  };

  /** Begins to watch a town. */
  attend(town: Town): void {
    const { consortium, memory } = town;
    const { params, id, homes, periods } = consortium;
    const truth = new Truth(consortium);
    const parties = [...params.da.map(({ msp }) => msp), "Kgcbp", "Cc"];
    this.#attending = {
      town,
      promises: new Promises(this.accuse, (da) => town.disk(da).kept),
      receipts: new Receipts(this.accuse, { consortium: id, versions: () => town.versions, memory }),
      releases: new Releases(this.accuse),
      privacy: new Privacy(this.accuse, {
        bids: homes.map(({ bid }) => bid),
        prids: homes.flatMap((home) => periods.flatMap((period) => truth.keys(home, period).prids)),
        secrets: [
          ...homes.map(({ monthKey }) => monthKey),
          ...parties.flatMap((msp) => [secretOf(msp), laterSecretOf(msp)]),
        ],
      }),
    };
  }

  hear(message: Message): void {
    const { town, promises, receipts, releases, privacy } = this.#at;
    const { from, to, method, direction } = message;
    if (!from.startsWith("meter/") && direction === "request") this.#overheard?.push(`${from} asks for ${method}`);
    privacy.hear(message);
    if (from === "kgcbp") releases.hear(message);
    if (!from.startsWith("da/") || !town.isHonest(from)) return;
    promises.hear(message);
    if (to !== from) receipts.hear(message);
  }

  read(name: string, line: string): void {
    if (this.#attending !== undefined) this.#at.privacy.read(`${name} ${line}`);
  }

  /** What honest parties ask each other from now on. */
  listen(): () => readonly string[] {
    this.#overheard = [];
    return () => this.#overheard ?? [];
  }

  /** The run's time, for traces. */
  clock(): string {
    const ms = this.#attending === undefined ? 0 : this.#at.town.timeline.now() - this.#at.town.start;
    return `${(ms / 1000).toFixed(3)} s`;
  }

  get seed(): number {
    return this.#scenario.seed;
  }
}
