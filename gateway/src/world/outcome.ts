import {
  BASIS,
  LedgerView,
  monthName,
  VeilgridError,
  VerifiedSignatures,
  type Difference,
  type Price,
  type StateReader,
  type Tariff,
} from "@veilgrid/protocol";
import { z } from "zod";
import { billLines, periodLines, writeLines, type BillResult } from "../bill/results.js";
import { CommittedMonth, committedMonths } from "../customer/committed-month.js";
import { Customer } from "../customer/customer.js";
import { ContentFolder } from "../ipfs/content-folder.js";
import { withHistory } from "../ledger/history.js";
import { readJson, writeWhole } from "../store/files.js";
import { regionOf, tariffOf } from "./plan.js";
import type { Run } from "./run.js";
import type { World } from "./world.js";

const REMEMBERED = 50_000;

const regionSchema = z.strictObject({
  region: z.int(),
  meters: z.int(),
  periods: z.int(),
  /** Periods whose regional sum was released. */
  measured: z.int(),
  consumptionWh: z.string(),
  lowestPrice: z.string(),
  highestPrice: z.string(),
});

const billSchema = z.strictObject({
  meter: z.string(),
  month: z.string(),
  energyWh: z.string(),
  total: z.string(),
  missing: z.int(),
  verified: z.boolean(),
  /** Why it does not verify; the first difference. */
  difference: z.string().nullable(),
});

/** What a finished run came to. */
export const outcomeSchema = z.strictObject({
  regions: z.array(regionSchema),
  bills: z.array(billSchema),
  ledger: z.strictObject({ blocks: z.string(), tip: z.string() }),
  currency: z.string().nullable(),
  minorDigits: z.int(),
});

export type Outcome = z.infer<typeof outcomeSchema>;
export type RegionOutcome = Outcome["regions"][number];
export type BillOutcome = Outcome["bills"][number];

/** The outcome that a folder keeps once its run is finished. @throws VeilgridError `damaged-folder`. */
export async function keptOutcome(run: Run): Promise<Outcome | undefined> {
  const json = await readJson(run.folder.outcome);
  if (json === undefined) return undefined;
  const parsed = outcomeSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new VeilgridError("damaged-folder", "outcome.json is not what a run wrote", {
    blame: "operator",
    cause: parsed.error,
  });
}

/** Hears how far the verification of bills has come. */
export type OnBill = (done: number, all: number) => void;

/**
 * Has every customer fetch, open and recompute the bills, and writes the tables. The outcome is kept last: where it
 * stands, the rest is there.
 */
export async function conclude(run: Run, world: World, onBill: OnBill): Promise<Outcome> {
  const { folder } = run;
  const bills: BillOutcome[] = [];
  // The first months of a long run are closed by now.
  await withHistory(world.ledger, async (history) => {
    const results = verifiedBills(run, world, history, (bill, done, all) => {
      bills.push(bill);
      onBill(done, all);
    });
    await writeLines(folder.bills, billLines(results));
  });
  await writeLines(
    folder.periods,
    periodLines(world.view, (region, period) => world.kgcbp.completeMeters(region, period)),
  );
  const tariff: Tariff = tariffOf(run.record);
  const outcome: Outcome = {
    regions: await regionOutcomes(run, world),
    bills,
    ledger: { blocks: (await world.ledger.height()).toString(), tip: Buffer.from(world.ledger.tip).toString("hex") },
    currency: tariff.currency ?? null,
    minorDigits: tariff.minorDigits,
  };
  await writeWhole(folder.outcome, `${JSON.stringify(outcome, undefined, 2)}\n`);
  return outcome;
}

function sentenceOf(difference: Difference | undefined): string | null {
  return difference === undefined ? null : `${difference.code}: ${difference.what}`;
}

async function* verifiedBills(
  run: Run,
  world: World,
  history: StateReader,
  onBill: (bill: BillOutcome, done: number, all: number) => void,
): AsyncGenerator<BillResult> {
  const content = await ContentFolder.open(run.folder.ipfs);
  const memory = new VerifiedSignatures(REMEMBERED);
  const months = world.months();
  const customers = await world.customers();
  const all = months.length * customers.length;
  const modules = { view: new LedgerView(history), memory };
  // Of other months deltas ask for bills and prices alone, so that little of them is kept.
  const others = committedMonths(modules);
  let done = 0;
  for (const month of months) {
    const committed = await CommittedMonth.open(month, modules);
    for (const { meter, bid, key } of customers) {
      done += 1;
      // Who came later, or is gone, has none of this month.
      if (committed.bill(bid) === undefined) continue;
      const customer = new Customer({ bid, identity: key.identity }, { content });
      const { report, verified, differences } = await customer.verify(committed, others);
      const { energyWh, missing } = report.feedback;
      const bill = {
        meter,
        month: monthName(month),
        energyWh: String(energyWh),
        total: report.total,
        missing,
        verified,
      };
      onBill({ ...bill, difference: sentenceOf(differences[0]) }, done, all);
      yield { meter, report, verified };
    }
  }
}

async function regionOutcomes(run: Run, world: World): Promise<RegionOutcome[]> {
  const outcomes: RegionOutcome[] = [];
  for (const region of [...(await world.view.regions())].sort((a, b) => a - b)) {
    outcomes.push(await regionOutcome(run, world, region));
  }
  return outcomes;
}

async function regionOutcome(run: Run, world: World, region: number): Promise<RegionOutcome> {
  const { regions } = run.record.arguments;
  let [periods, measured, consumption] = [0, 0, 0n];
  let lowest: bigint | undefined;
  let highest: bigint | undefined;
  for await (const { price, basis, consumption: wh } of pricesOf(world, region)) {
    periods += 1;
    if (basis === BASIS.measured) measured += 1;
    consumption += wh;
    lowest = lowest === undefined || price < lowest ? price : lowest;
    highest = highest === undefined || price > highest ? price : highest;
  }
  return {
    region,
    meters: run.record.input.households.filter((_, i) => regionOf(i, regions) === region).length,
    periods,
    measured,
    consumptionWh: consumption.toString(),
    lowestPrice: (lowest ?? 0n).toString(),
    highestPrice: (highest ?? 0n).toString(),
  };
}

async function* pricesOf(world: World, region: number): AsyncGenerator<Price> {
  for (const month of world.months()) {
    for (const { k, periods } of await world.view.epochs(region, month)) {
      for (let at = k; at < k + periods; at += 1) {
        const price = await world.view.price(region, { month, k: at });
        if (price !== undefined) yield price;
      }
    }
  }
}
