import type { Plan } from "../plan.js";
import type { Setting } from "../scenario.js";
import { acksIgnored, receiptsTooShort } from "./answers.js";
import { quorumTooSmall } from "./quorum.js";
import { releasedBelowMinimum, secondReleases } from "./releases.js";
import { acksBeforeSync, votesForgotten } from "./stores.js";

/** A bug that is put into the roles on purpose, to see that it is found. */
export interface PlantedBug {
  readonly plan: Plan;
  /** Within how many seeds, from 1 on, it must be found. */
  readonly within: number;
  /** What it violates first. */
  readonly invariant: string;
  /** What the runs are like, where not as their seeds say. */
  readonly settings: Readonly<Partial<Record<Setting, number>>>;
}

/** One of each kind. */
export const PLANTED: Readonly<Record<string, PlantedBug>> = {
  "a vote that is not persisted": {
    plan: votesForgotten,
    within: 1,
    invariant: "vote-on-disk",
    settings: { embedded: 0 },
  },
  "an ack before the sync": { plan: acksBeforeSync, within: 5, invariant: "ack-on-disk", settings: { embedded: 0 } },
  "a receipt with one ack too few": {
    plan: receiptsTooShort,
    within: 1,
    invariant: "receipt-of-quorum",
    settings: { embedded: 0 },
  },
  "a quorum one too small": { plan: quorumTooSmall, within: 1, invariant: "audit", settings: { embedded: 0 } },
  "a voter that ignores what it acked": {
    plan: acksIgnored,
    within: 10,
    invariant: "receipted-on-ledger",
    settings: { embedded: 0, loss: 250, twice: 0, hostile: 0, periods: 2 },
  },
  "a release without the minimum": {
    plan: releasedBelowMinimum,
    within: 5,
    invariant: "release-minimum",
    settings: { embedded: 0, meters: 6, regions: 1, faulty: 6, hostile: 0 },
  },
  "a second release": {
    plan: secondReleases,
    within: 10,
    invariant: "one-release",
    settings: { embedded: 0, loss: 250, faulty: 0 },
  },
};
