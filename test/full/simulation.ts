import { command, shrink } from "../src/simulation/shrink.js";
import { scenarioOf } from "../src/simulation/scenario.js";
import { simulate } from "../src/simulation/simulate.js";
import { count, seconds, type Report } from "./report.js";

const SEEDS = 2_000;
const TOLD_EVERY = 100;

/** 2,000 seeds, about a third of them with hostile aggregators. */
export async function simulation(report: Report): Promise<void> {
  const began = performance.now();
  let [hostile, moments, receipts] = [0, 0, 0];
  const failed: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const outcome = await simulate(scenarioOf(seed));
    hostile += Number(outcome.scenario.hostile > 0);
    moments += outcome.steps;
    receipts += outcome.receipts;
    if (outcome.violations.length > 0) failed.push(command(await shrink(outcome)));
    if (seed % TOLD_EVERY === 0) report.progress(`${count(seed)} of ${count(SEEDS)} seeds`);
  }
  report.check("no invariant is violated", failed.length === 0, failed.length === 0 ? count(SEEDS) : failed.join("; "));
  report.check("about a third have hostile aggregators", hostile > SEEDS / 4 && hostile < SEEDS / 2, count(hostile));
  report.note("moments of virtual time", count(moments));
  report.note("receipts that were held to the ledger", count(receipts));
  report.note("time", seconds((performance.now() - began) / 1000));
}
