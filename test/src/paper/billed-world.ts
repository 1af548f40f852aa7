import {
  draftReport,
  fromHex,
  monthOf,
  parseTariff,
  seedsOf,
  type BillReport,
  type OwnLeaf,
  type Seeds,
} from "@veilgrid/protocol";
import { CommittedMonth, ContentFolder, Customer, type Run, type World } from "@veilgrid/gateway";
import { honestRun } from "../world/honest.js";

/** What is looked at in the honest small run when its bills are out. */
export interface Billed {
  readonly run: Run;
  readonly world: World;
  readonly month: CommittedMonth;
  readonly content: ContentFolder;
}

/** Opens the honest small run again, at its end. */
export async function inBilledWorld<T>(look: (billed: Billed) => Promise<T>): Promise<T> {
  const { run } = await honestRun();
  const world = await run.world();
  try {
    const month = await CommittedMonth.open(run.record.input.first.month, { view: world.view });
    return await look({ run, world, month, content: await ContentFolder.open(run.folder.ipfs) });
  } finally {
    await world.close();
  }
}

/** The customer's own report of a household, opened as the customer does it. */
export async function reportOf({ run, month, content }: Billed, household: number): Promise<BillReport> {
  const { bid, customer } = run.keys.homes[household] as Run["keys"]["homes"][number];
  const { report } = await new Customer({ bid, identity: customer.identity }, { content }).open(month);
  return report;
}

/** What a KGCBP may change of a bill: everything else follows, so that the report does not contradict itself. */
export interface Forged {
  readonly readings?: (wh: bigint) => bigint;
  readonly seeds?: (seeds: Seeds) => Seeds;
}

/** A bill like an honest one but for what is forged. */
export function forgedReport(report: BillReport, { readings = (wh) => wh, seeds = (own) => own }: Forged): BillReport {
  const { columns, supply, periodSeconds, timeZone } = report;
  return draftReport({
    ...{ supply, periodSeconds, timeZone },
    consortium: fromHex(report.consortium),
    bid: fromHex(report.bid),
    month: monthOf(report.month),
    tariff: parseTariff(report.tariff),
    readings: columns.consumptionWh.map((wh) => readings(BigInt(wh))),
    prices: columns.priceMicro.map((price) => (price === null ? undefined : BigInt(price))),
    leaves: report.seedLeaves.map((leaf): OwnLeaf => {
      const { index, count, hashes } = leaf.path;
      const { region, number } = leaf.epoch;
      const path = { index, count, hashes: hashes.map(fromHex) };
      return { region, number: BigInt(number), first: leaf.first, seeds: seeds(seedsOf(leaf)), path };
    }),
  });
}
