import { setPriority } from "node:os";
import { Tally, type Attack, type Order } from "./attack.js";
import { flood } from "./flood.js";
import { fuzz } from "./fuzz.js";
import { idle } from "./idle.js";
import { loris } from "./loris.js";
import { storm } from "./storm.js";
import { ATTACKER_NICENESS } from "./niceness.js";

const ATTACKS: Readonly<Record<string, Attack>> = { fuzz, loris, idle, flood, storm };

// A program: takes one order from its parent, says when it begins, carries it out, says what it did, and ends.
process.once("message", (order: Order) => {
  setPriority(ATTACKER_NICENESS);
  const tally = new Tally();
  const attack = ATTACKS[order.attack];
  if (attack === undefined) throw new Error(`there is no attack ${order.attack}`);
  const carryOut = attack(order, tally);
  process.send?.("begun");
  void carryOut(AbortSignal.timeout(1_000 * order.seconds)).then(() => {
    process.send?.(tally.counts, () => process.exit());
  });
});
