import { compareBytes, equalBytes, type LedgerView, type Period } from "@veilgrid/protocol";
import type { Town } from "../town.js";
import type { Accuse } from "../witness/violation.js";

/** Whether everything that was due is on the ledger: blocks, prices, bills. */
export async function isSettled({ consortium }: Town, view: LedgerView): Promise<boolean> {
  const { scenario, periods, homes } = consortium;
  if ((await view.currentParams()).version < 1 + scenario.successor) return false;
  for (let region = 1; region <= scenario.regions; region += 1) {
    for (const period of periods) if ((await view.price(region, period)) === undefined) return false;
  }
  if (scenario.billed === 0) return true;
  const { month } = periods[0] as Period;
  for (const { bid } of homes) if ((await view.bill(bid, month)) === undefined) return false;
  return true;
}

/** What is missing, in words. */
export async function unsettled({ consortium }: Town, view: LedgerView): Promise<string> {
  const missing: string[] = [];
  for (let region = 1; region <= consortium.scenario.regions; region += 1) {
    for (const period of consortium.periods) {
      const has = { readings: await view.readings(region, period), price: await view.price(region, period) };
      if (has.readings === undefined) missing.push(`block ${region}/${period.k}`);
      else if (has.price === undefined) missing.push(`price ${region}/${period.k}`);
    }
  }
  return missing.length === 0 ? "bills or another parameter set" : missing.join(", ");
}

/** All peers hold the same bytes. */
export function judgePeers(accuse: Accuse, town: Town): void {
  const [first, ...others] = town.consortium.params.da.map(
    ({ msp }) => [msp, town.channel.replica(msp).contents()] as const,
  );
  for (const [msp, contents] of others) {
    const own = (first as (typeof others)[number])[1];
    const same =
      own.size === contents.size &&
      [...own].every(([key, value]) => equalBytes(value, contents.get(key) ?? new Uint8Array()));
    if (!same) accuse("same-state", `${msp} differs`);
  }
}

/** Aggregators keep nothing of what is committed. */
export function judgeLeftovers(accuse: Accuse, town: Town): void {
  for (let da = 0; da < town.scenario.das; da += 1) {
    const name = `da/Da${da}`;
    if (!town.isHonest(name)) continue;
    const { kept } = town.disk(name);
    const left = ["pool/", "list/", "pending/"].flatMap((prefix) => kept.entries(prefix)).map(({ key }) => key);
    if (left.length > 0)
      accuse(
        "nothing-left",
        `${name} keeps ${left.sort((a, b) => compareBytes(Buffer.from(a), Buffer.from(b))).join(", ")}`,
      );
  }
}
