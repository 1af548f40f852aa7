import { verdictCodec } from "../../messages/verdict.js";
import { stateKey } from "../keys.js";
import { require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import { committedPeriod } from "./period.js";
import { issuedBodies, type Rule } from "./rule.js";

/** Verdicts close the fault that a readings block's `aggFault` opened (PROTOCOL section 4, Finding faulty meters). */
export const verdictsRule: Rule = async (input) => {
  const { view, current } = input;
  // By key: two verdicts on one period close its fault once.
  const writes = new Map<string, StateWrite>();
  for (const { region, period, ref } of issuedBodies(input, "verdict", verdictCodec, current.kgcbp.key)) {
    const { readings } = await committedPeriod(view, region, period);
    require(readings.aggFault, "no-fault", "the period's block reports no fault");
    // The ref is fresh for each case.
    require(!(await view.hasVerdict(region, period, ref)), "verdict-exists", "the case already has its verdict");
    const [verdict, fault] = [stateKey.verdict(region, period, ref), stateKey.fault(region, period)];
    writes.set(verdict, { key: verdict, value: new Uint8Array([1]) });
    writes.set(fault, { key: fault, value: undefined });
  }
  return { writes: [...writes.values()] };
};
