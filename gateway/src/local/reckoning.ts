import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeReadings, MonthKeys, Outbox, type Proof } from "@veilgrid/meter-client";
import {
  addPeriods,
  BASIS,
  decodeReadingLeaf,
  fromHex,
  LedgerView,
  READING_BYTES,
  readingCodec,
  toHex,
  VeilgridError,
  VerifiedSignatures,
  type Period,
} from "@veilgrid/protocol";
import { Audit, type AuditReport } from "../audit/audit.js";
import { CommittedMonth, committedMonths } from "../customer/committed-month.js";
import { Customer } from "../customer/customer.js";
import { ContentFolder } from "../ipfs/content-folder.js";
import type { PeerLedger } from "../ports/ledger.js";
import type { Store } from "../ports/store.js";
import { readFleet } from "../meterside/fleet-file.js";
import { LevelStore, openDatabase } from "../store/level.js";
import { withScratch } from "../store/scratch.js";
import { FILE } from "./configurations.js";
import type { Overview } from "./overview.js";

const REMEMBERED = 100_000;

/** What became of the readings. */
export interface ReadingsReckoning {
  /** Halves of which the meters have a receipt. */
  readonly receipted: number;
  /** Of these, those that are on the ledger exactly once. */
  readonly once: number;
  /** Halves that were due: two for each meter and period. */
  readonly due: number;
}

/** Whether the ledger's regional sums are what the meters' registers say. */
export interface SumsReckoning {
  readonly periods: number;
  /** Periods whose sum was released. */
  readonly measured: number;
  /** Of these, those whose sum is that of the meters with both halves on the ledger. */
  readonly exact: number;
}

/** Whether the bills are what the meters' registers say. */
export interface BillsReckoning {
  readonly issued: number;
  /** Bills that their customers recompute from the ledger. */
  readonly verified: number;
  /** Bills whose energy is that of the register, over the periods that the bill has as measured. */
  readonly exact: number;
}

/** What a consortium's run came to, by the meters' own stores, the ledger, and the customers' own keys. */
export interface Reckoning {
  readonly readings: ReadingsReckoning;
  readonly sums: SumsReckoning;
  readonly bills: BillsReckoning;
  readonly audit: AuditReport;
}

/** Whether nothing is wrong. */
export function isClean({ readings, sums, bills, audit }: Reckoning): boolean {
  return (
    readings.receipted === readings.once &&
    sums.measured === sums.exact &&
    bills.issued === bills.verified &&
    bills.issued === bills.exact &&
    audit.findings.length === 0
  );
}

/** A customer as its own folder has it. */
interface KeptCustomer {
  readonly meter: string;
  readonly bid: Uint8Array;
  readonly identity: string;
}

/** A meter with its region and what it keeps. */
interface KeptMeter {
  readonly name: string;
  readonly region: number;
  readonly outbox: Outbox;
  readonly keys: MonthKeys;
}

/**
 * Compares what the meters' registers and receipts say with what is on the ledger, verifies every bill as its customer,
 * and audits the ledger. The meters' process must have ended.
 * @throws VeilgridError `damaged-folder`, `store-in-use`, and what reading the ledger throws.
 */
export async function reckon(folder: string, overview: Overview, ledger: PeerLedger): Promise<Reckoning> {
  const database = await openDatabase(join(folder, "meters", "data", "store"));
  try {
    const meters = await keptMeters(folder, overview, new LevelStore(database, "meters"));
    const periods = periodsOf(overview);
    const view = new LedgerView(ledger.state);
    const found = await reckonReadings(view, overview, meters, periods);
    return {
      ...found,
      bills: await reckonBills(folder, overview, view, meters, periods),
      audit: await auditOf(ledger),
    };
  } finally {
    await database.close();
  }
}

function periodsOf({ first, periods, periodSeconds }: Overview): readonly Period[] {
  return Array.from({ length: periods ?? 0 }, (_, n) => addPeriods(first, n, periodSeconds));
}

async function keptMeters(folder: string, { consortium }: Overview, store: Store): Promise<readonly KeptMeter[]> {
  const meters = await readFleet(join(folder, "meters", FILE.meters));
  return meters.map(({ name, region, month, key }) => ({
    name,
    region,
    outbox: new Outbox(store, name),
    keys: new MonthKeys(fromHex(consortium), { month, key }),
  }));
}

/** How often a block has each reading, by PRID and masked value. */
async function readingsIn(view: LedgerView, region: number, period: Period): Promise<ReadonlyMap<string, number>> {
  const record = await view.readings(region, period);
  const counts = new Map<string, number>();
  if (record === undefined) return counts;
  const block = await view.block(region, record.number);
  for (const leaf of block?.block.leaves ?? []) {
    const { prid, rc } = decodeReadingLeaf(leaf);
    const key = nameOf(prid, rc);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

function nameOf(prid: Uint8Array, rc: bigint): string {
  return `${toHex(prid)} ${rc.toString()}`;
}

function nameOfProof({ reading }: Proof): string {
  return nameOfReading(reading);
}

/** @param reading with its signature, 113 bytes. */
function nameOfReading(reading: Uint8Array): string {
  const { prid, rc } = readingCodec.decode(reading.subarray(0, READING_BYTES));
  return nameOf(prid, rc);
}

async function reckonReadings(
  view: LedgerView,
  { regions, consortium: id }: Overview,
  meters: readonly KeptMeter[],
  periods: readonly Period[],
): Promise<Pick<Reckoning, "readings" | "sums">> {
  const consortium = fromHex(id);
  const readings = { receipted: 0, once: 0, due: 2 * meters.length * periods.length };
  const sums = { periods: 0, measured: 0, exact: 0 };
  for (let region = 1; region <= regions; region += 1) {
    const own = meters.filter((meter) => meter.region === region);
    for (const period of periods) {
      const there = await readingsIn(view, region, period);
      let sum = 0n;
      for (const { outbox, keys } of own) {
        const proofs = [outbox.proof(period, 0), outbox.proof(period, 1)].filter((proof) => proof !== undefined);
        const once = proofs.filter((proof) => there.get(nameOfProof(proof)) === 1).length;
        readings.receipted += proofs.length;
        readings.once += once;
        // A reading may be on the ledger although its meter never had the receipt.
        const consumption = outbox.consumption(period);
        if (consumption === undefined) continue;
        const halves = makeReadings(keys.leavesAt(period), { consortium, region }, period, consumption);
        if (halves.every((reading) => there.get(nameOfReading(reading)) === 1)) sum += consumption;
      }
      const price = await view.price(region, period);
      sums.periods += 1;
      if (price?.basis !== BASIS.measured) continue;
      sums.measured += 1;
      if (price.consumption === sum) sums.exact += 1;
    }
  }
  return { readings, sums };
}

async function keptCustomers(folder: string): Promise<readonly KeptCustomer[]> {
  const own = join(folder, "customers");
  const names = (await readdir(own)).filter((name) => name.endsWith(".txt")).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(own, name), "utf8");
      const bid = /^# bid: ([0-9a-f]{32})$/m.exec(text)?.[1];
      const identity = /^AGE-SECRET-KEY-\S+$/m.exec(text)?.[0];
      if (bid !== undefined && identity !== undefined) {
        return { meter: name.replace(/\.txt$/, ""), bid: fromHex(bid), identity };
      }
      throw new VeilgridError("damaged-folder", `${join(own, name)} is not what was written`, { blame: "operator" });
    }),
  );
}

async function reckonBills(
  folder: string,
  { first }: Overview,
  view: LedgerView,
  meters: readonly KeptMeter[],
  periods: readonly Period[],
): Promise<BillsReckoning> {
  const modules = { view, memory: new VerifiedSignatures(REMEMBERED) };
  const committed = await CommittedMonth.open(first.month, modules);
  const others = committedMonths(modules);
  const content = await ContentFolder.open(join(folder, "kgcbp", "ipfs"));
  const outboxes = new Map(meters.map(({ name, outbox }) => [name, outbox]));
  let [issued, verified, exact] = [0, 0, 0];
  for (const { meter, bid, identity } of await keptCustomers(folder)) {
    if (committed.bill(bid) === undefined) continue;
    issued += 1;
    const outcome = await new Customer({ bid, identity }, { content }).verify(committed, others);
    if (outcome.verified) verified += 1;
    const { energyWh, missing } = outcome.report.feedback;
    const outbox = outboxes.get(meter);
    const register = periods.reduce((sum, period) => sum + (outbox?.consumption(period) ?? 0n), 0n);
    // With a missing period the register says more than the bill may: then what the customer recomputed has to do.
    if (BigInt(energyWh) === register || (missing > 0 && outcome.verified)) exact += 1;
  }
  return { issued, verified, exact };
}

function auditOf(ledger: PeerLedger): Promise<AuditReport> {
  return withScratch(async (scratch) => {
    const auditor = new Audit(scratch);
    for await (const block of ledger.blocks(0n)) await auditor.add(block);
    return auditor.report;
  });
}
