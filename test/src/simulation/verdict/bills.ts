import { CommittedMonth, Customer, type ContentStore } from "@veilgrid/gateway";
import { decodeReadingLeaf, isVeilgridError, type LedgerView, type Period } from "@veilgrid/protocol";
import type { Consortium, Home } from "../consortium.js";
import type { Accuse } from "../witness/violation.js";
import type { Truth } from "./truth.js";

/** What all bills have in common. */
export interface BillModules {
  readonly consortium: Consortium;
  readonly view: LedgerView;
  readonly truth: Truth;
  readonly content: ContentStore;
}

/** The energy cost of a home's periods in nano-units, by the test's own arithmetic. */
async function costOf(home: Home, { consortium, view, truth }: BillModules): Promise<bigint> {
  let cost = 0n;
  for (const period of consortium.periods) {
    const wh = await consumptionOf(home, period, { view, truth });
    cost += (wh ?? 0n) * ((await view.price(home.region, period))?.price ?? 0n);
  }
  return cost;
}

async function consumptionOf(
  home: Home,
  period: Period,
  { view, truth }: Pick<BillModules, "view" | "truth">,
): Promise<bigint | undefined> {
  const record = await view.readings(home.region, period);
  const leaves = (record && (await view.block(home.region, record.number)))?.block.leaves ?? [];
  const readings = truth.read(home.region, period, leaves.map(decodeReadingLeaf));
  return readings.find((one) => one.home === home)?.consumption;
}

/** Every customer finds, decrypts and verifies the bill, and it is what the periods cost. */
export async function judgeBills(accuse: Accuse, modules: BillModules): Promise<void> {
  const { consortium, view, content } = modules;
  const { month } = consortium.periods[0] as Period;
  const committed = await CommittedMonth.open(month, { view });
  for (const home of consortium.homes) {
    try {
      const bill = await new Customer({ bid: home.bid, identity: home.customer.identity }, { content }).verify(
        committed,
      );
      if (!bill.verified) accuse("exact-bill", `${home.name}: ${bill.differences[0]?.code ?? ""}`);
      const nano = bill.report.columns.costNano.reduce((all, one) => all + BigInt(one), 0n);
      const due = await costOf(home, modules);
      if (nano !== due) accuse("exact-bill", `${home.name} pays ${nano}, not ${due}`);
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      accuse("exact-bill", `${home.name}: ${error.code}`);
    }
  }
}
