import { compareBytes } from "../../bytes.js";
import { comparePeriods } from "../../calendar.js";
import { verdictCodec } from "../../messages/verdict.js";
import { stateKey } from "../keys.js";
import { refusal, require } from "../refusal.js";
import type { StateWrite } from "../state.js";
import { issuedBodies, requireAscending, type Rule } from "./rule.js";

/** Verdicts close the fault that a readings block's `aggFault` opened (PROTOCOL section 4, Finding faulty meters). */
export const verdictsRule: Rule = async (input) => {
  const { view, current } = input;
  const verdicts = issuedBodies(input, "verdict", verdictCodec, current.kgcbp.key);
  requireAscending(
    verdicts,
    (a, b) => a.region - b.region || comparePeriods(a.period, b.period) || compareBytes(a.ref, b.ref),
  );
  const writes: StateWrite[] = [];
  for (const { region, period, ref } of verdicts) {
    const readings = await view.readings(region, period);
    if (readings === undefined) throw refusal("no-readings-block", "the period has no readings block yet", {}, true);
    require(readings.aggFault, "no-fault", "the period's block reports no fault");
    // The ref is fresh for each case.
    require(!(await view.hasVerdict(region, period, ref)), "verdict-exists", "the case already has its verdict");
    writes.push({ key: stateKey.verdict(region, period, ref), value: new Uint8Array([1]) });
    writes.push({ key: stateKey.fault(region, period), value: undefined });
  }
  return { writes };
};
