import { comparePeriods, type Period } from "@veilgrid/protocol";
import type { Enrolment } from "../ports/keystore.js";
import type { Eliminations } from "./eliminations.js";
import type { Register } from "./register.js";

/** The enrolments that count: the register's, less those that are eliminated. Epochs are made from it. */
export class Roster {
  readonly #register: Register;
  readonly #eliminations: Eliminations;

  constructor(register: Register, eliminations: Eliminations) {
    this.#register = register;
    this.#eliminations = eliminations;
  }

  /** Who counts in a region at a period, ascending by BID. */
  membersAt(region: number, at: Period): Enrolment[] {
    return this.#register.membersAt(region, at).filter((member) => !this.#eliminations.covers(member, at));
  }

  /** The first period after `at` from which a region may have other members. */
  nextChange(region: number, at: Period): Period | undefined {
    const next = this.#register.nextChange(region, at);
    const changes = this.#register
      .enrolments()
      .filter((enrolment) => enrolment.region === region)
      .flatMap(({ meter }) => this.#eliminations.of(meter))
      .flatMap(({ from, to }) => (to === undefined ? [from] : [from, to]))
      .filter((change) => comparePeriods(change, at) > 0);
    return [...changes, ...(next === undefined ? [] : [next])].sort(comparePeriods)[0];
  }

  /** The period of the region's first supply. */
  firstSupply(region: number): Period | undefined {
    return this.#register.firstSupply(region);
  }
}
