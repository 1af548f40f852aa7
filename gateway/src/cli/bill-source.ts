import { access } from "node:fs/promises";
import { LedgerView, VeilgridError, VerifiedSignatures, equalBytes, toHex, type StateReader } from "@veilgrid/protocol";
import { readIdentity } from "../bill/identity.js";
import { CommittedMonth } from "../customer/committed-month.js";
import { Customer } from "../customer/customer.js";
import { FileContent } from "../ipfs/file-content.js";
import { withHistory } from "../ledger/history.js";
import type { ContentStore } from "../ports/content.js";
import { DataFolder } from "../world/folder.js";
import { KeptRun } from "../world/kept.js";
import { isOffline, refuseOffline, requireOffline, type BillOptions } from "./bill-options.js";
import { unfit } from "./ledger-options.js";
import { withLedger } from "./ledger-source.js";

/** A month's bill of a customer, and what it is opened with. */
export interface BillCase {
  /** The operator's name of the meter; offline the BID in hex. */
  readonly name: string;
  readonly customer: Customer;
  readonly month: CommittedMonth;
}

/** Works through bills, of which there are `count`. */
export type UseBills<T> = (bills: AsyncIterable<BillCase>, count: number) => Promise<T>;

const REMEMBERED = 50_000;

/**
 * Works with the one bill that is meant.
 * @throws VeilgridError `bad-option`, `no-run`, `unknown-meter`, `bad-month`, `no-bills`, and about the ledger.
 */
export async function withBill<T>(
  meter: string | undefined,
  options: BillOptions,
  use: (bill: BillCase) => Promise<T>,
): Promise<T> {
  if (isOffline(options)) return withOfflineBill(meter, options, use);
  refuseOffline(options);
  if (meter === undefined) throw unfit("say which METER, or --ledger and --bid");
  const run = await KeptRun.open(new DataFolder(options.out));
  run.indexOf(meter);
  return withFolderBills(run, { meters: [meter], months: [run.month(options.month)] }, options, async (bills) => {
    const next = await bills[Symbol.asyncIterator]().next();
    return use(next.value as BillCase);
  });
}

/** Works through all bills of a folder, month by month, in the order of the meters. @throws as withBill. */
export async function withAllBills<T>(options: BillOptions, use: UseBills<T>): Promise<T> {
  refuseOffline(options);
  const run = await KeptRun.open(new DataFolder(options.out));
  const months = options.month === undefined ? run.months : [run.month(options.month)];
  return withFolderBills(run, { meters: run.meters, months }, options, use);
}

async function withFolderBills<T>(
  run: KeptRun,
  of: { readonly meters: readonly string[]; readonly months: readonly number[] },
  options: BillOptions,
  use: UseBills<T>,
): Promise<T> {
  return withHistoryOf(options, async (ledger) => {
    const content = await openContent(run.folder.ipfs);
    async function* bills(): AsyncGenerator<BillCase> {
      for (const number of of.months) {
        const month = await openMonth(number, ledger, options);
        for (const meter of of.meters) {
          const { bid, customer } = await run.home(meter);
          yield { name: meter, month, customer: new Customer({ bid, identity: customer.identity }, { content }) };
        }
      }
    }
    return use(bills(), of.meters.length * of.months.length);
  });
}

async function withOfflineBill<T>(
  meter: string | undefined,
  options: BillOptions,
  use: (bill: BillCase) => Promise<T>,
): Promise<T> {
  const { month: number, bid, identity: file, bill, ipfs } = requireOffline(meter, options);
  const content = bill === undefined ? await openContent(ipfs as string) : new FileContent(bill);
  const customer = new Customer({ bid, identity: await readIdentity(file) }, { content });
  return withHistoryOf(options, async (ledger) => {
    return use({ name: toHex(bid), month: await openMonth(number, ledger, options), customer });
  });
}

/** Lends a ledger's state with the leaves of closed months: their bills are verified like any other. */
function withHistoryOf<T>(options: BillOptions, use: (history: StateReader) => Promise<T>): Promise<T> {
  return withLedger(options, (ledger) => withHistory(ledger, use));
}

/** A block store that is there: opening one makes its folder, whatever name was given. */
async function openContent(path: string): Promise<Pick<ContentStore, "get">> {
  await access(path).catch((cause: unknown) => {
    throw new VeilgridError("no-bills", `no bill is kept in ${path}`, { facts: { path }, blame: "caller", cause });
  });
  // Loaded when it is needed: who only asks for help does not wait for it.
  const { ContentFolder } = await import("../ipfs/content-folder.js");
  return ContentFolder.open(path);
}

async function openMonth(number: number, state: StateReader, { consortium }: BillOptions): Promise<CommittedMonth> {
  const memory = new VerifiedSignatures(REMEMBERED);
  const month = await CommittedMonth.open(number, { view: new LedgerView(state), memory });
  if (consortium === undefined || equalBytes(consortium, month.consortium)) return month;
  throw new VeilgridError("wrong-consortium", `the ledger is that of the consortium ${toHex(month.consortium)}`, {
    facts: { consortium: toHex(month.consortium) },
    blame: "peer",
  });
}
