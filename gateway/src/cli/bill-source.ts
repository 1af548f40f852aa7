import { access } from "node:fs/promises";
import { LedgerView, VeilgridError, VerifiedSignatures, equalBytes, toHex, type StateReader } from "@veilgrid/protocol";
import { readIdentity } from "../bill/identity.js";
import { CommittedMonth, committedMonths } from "../customer/committed-month.js";
import { Customer, type OtherMonths } from "../customer/customer.js";
import { FileContent } from "../ipfs/file-content.js";
import { withHistory } from "../ledger/history.js";
import type { ContentStore } from "../ports/content.js";
import { DataFolder } from "../world/folder.js";
import { KeptRun, labelOf, type KeptCustomer } from "../world/kept.js";
import { isOffline, refuseOffline, requireOffline, type BillOptions } from "./bill-options.js";
import { unfit } from "./ledger-options.js";
import { withLedger } from "./ledger-source.js";

/** A month's bill of a customer, and what it is opened with. */
export interface BillCase {
  /** The operator's names of meter and customer; offline the BID in hex. */
  readonly name: string;
  readonly customer: Customer;
  readonly month: CommittedMonth;
  /** The ledger's other months, for what the bill settles. */
  readonly others: OtherMonths;
}

/** Works through bills, of which there are `count`. */
export type UseBills<T> = (bills: AsyncIterable<BillCase>, count: number) => Promise<T>;

const REMEMBERED = 50_000;

/**
 * Works with the one bill that is meant.
 * @throws VeilgridError `bad-option`, `no-run`, `unknown-meter`, `unknown-customer`, `several-customers`, `bad-month`,
 * `no-bills`, and about the ledger.
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
  const number = run.month(options.month);
  return withHistoryOf(options, async (history) => {
    const customers = await run.customersAt(meter, options.customer);
    const content = await openContent(run.folder.ipfs);
    const month = await openMonth(number, history, options);
    return use({ ...caseOf(requireOne(customers, month), month, content), others: othersOf(history) });
  });
}

/** Works through all bills of a folder, month by month, in the order of the meters. @throws as withBill. */
export async function withAllBills<T>(options: BillOptions, use: UseBills<T>): Promise<T> {
  refuseOffline(options);
  const run = await KeptRun.open(new DataFolder(options.out));
  const months = options.month === undefined ? run.months : [run.month(options.month)];
  return withHistoryOf(options, async (history) => {
    const customers = await run.customers();
    const content = await openContent(run.folder.ipfs);
    const others = othersOf(history);
    const view = new LedgerView(history);
    const billed: (readonly [KeptCustomer, number])[] = [];
    for (const number of months) {
      const known = await billedOf(customers, number, view);
      // Where nobody has a bill yet, it is everybody's of the input that is missed.
      const all = known.length > 0 ? known : customers.filter(({ meter, name }) => meter === name);
      billed.push(...all.map((customer) => [customer, number] as const));
    }
    async function* bills(): AsyncGenerator<BillCase> {
      let month: CommittedMonth | undefined;
      for (const [customer, number] of billed) {
        if (month?.month !== number) month = await openMonth(number, history, options);
        yield { ...caseOf(customer, month, content), others };
      }
    }
    return use(bills(), billed.length);
  });
}

/** Who has a bill of a month. */
async function billedOf(
  customers: readonly KeptCustomer[],
  month: number,
  view: LedgerView,
): Promise<readonly KeptCustomer[]> {
  const bills = await Promise.all(customers.map(({ bid }) => view.bill(bid, month)));
  return customers.filter((_, i) => bills[i] !== undefined);
}

function caseOf(of: KeptCustomer, month: CommittedMonth, content: Pick<ContentStore, "get">): Omit<BillCase, "others"> {
  const { bid, identity } = of;
  return { name: labelOf(of), month, customer: new Customer({ bid, identity }, { content }) };
}

/** The one at the meter who has a bill of the month. @throws VeilgridError `several-customers`. */
function requireOne(customers: readonly KeptCustomer[], month: CommittedMonth): KeptCustomer {
  const billed = customers.filter(({ bid }) => month.bill(bid) !== undefined);
  const [first, second] = billed;
  if (second === undefined) return first ?? (customers[0] as KeptCustomer);
  const names = billed.map(({ name }) => name).join(", ");
  const { meter } = second;
  const sentence = `meter ${meter} had several customers in the month: say which --customer of ${names}`;
  throw new VeilgridError("several-customers", sentence, { facts: { meter, names }, blame: "caller" });
}

async function withOfflineBill<T>(
  meter: string | undefined,
  options: BillOptions,
  use: (bill: BillCase) => Promise<T>,
): Promise<T> {
  const { month: number, bid, identity: file, bill, ipfs, earlier } = requireOffline(meter, options);
  const content = bill === undefined ? await openContent(ipfs as string) : new FileContent(bill, ...earlier);
  const customer = new Customer({ bid, identity: await readIdentity(file) }, { content });
  return withHistoryOf(options, async (history) => {
    const month = await openMonth(number, history, options);
    return use({ name: toHex(bid), month, others: othersOf(history), customer });
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

function othersOf(state: StateReader): OtherMonths {
  return committedMonths({ view: new LedgerView(state), memory: new VerifiedSignatures(REMEMBERED) });
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
