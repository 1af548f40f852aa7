import type { AggregatorModules } from "@veilgrid/gateway";
import { hostileAggregator } from "./hostile/hostile.js";
import type { Life } from "./life.js";
import { aggregatorOf, type Ground } from "./roles.js";
import type { Rules } from "./rule-ledger.js";
import type { Role } from "./seat.js";

/** What an aggregator is made from. */
export interface AggregatorMaking {
  readonly da: number;
  readonly modules: AggregatorModules;
  readonly ground: Ground;
  readonly life: Life;
}

/** Who plays which role: tests put others in the places of some, or something between a role and the world. */
export interface Plan {
  readonly aggregator: (isHostile: boolean) => (making: AggregatorMaking) => Role;
  /** What KGCBP works on. */
  readonly kgcbp: (ground: Ground) => Ground;
  /** The contract's rules, where they are not the product's. */
  readonly rules?: Rules;
}

function honestAggregator({ da, modules }: AggregatorMaking): Role {
  return aggregatorOf(da, modules);
}

/** Everybody is what the product has, but for the hostile. */
export const AS_IT_IS: Plan = {
  aggregator: (isHostile) => (isHostile ? hostileAggregator : honestAggregator),
  kgcbp: (ground) => ground,
};
