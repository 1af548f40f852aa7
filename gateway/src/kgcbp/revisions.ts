import { KIND, VeilgridError, billsCodec, fromHex, toHex, type BillEntry, type Header } from "@veilgrid/protocol";
import { transactionStep } from "../committed/outbox.js";
import { Exclusive } from "../exclusive.js";
import { lastMonth } from "./customer-months.js";
import type { Desk } from "./desk.js";
import type { Issuing, IssuingSession } from "./issuing.js";
import { billedName, monthPart } from "./names.js";

const PREFIX = "revising/";

function markName(month: number, bid: Uint8Array): string {
  return `${PREFIX}${monthPart(month)}/${toHex(bid)}`;
}

function outboxName(month: number, bid: Uint8Array): string {
  return `revision/${monthPart(month)}/${toHex(bid)}`;
}

/** A revision that was made and is not committed. */
interface Pending {
  readonly key: string;
  readonly month: number;
  readonly entry: BillEntry;
}

/**
 * Settles what no following bill can: where the supply is over and billed, deltas come on a revision of the customer's
 * last bill. "A bill's next revision is the ledger's last for that BID and month plus 1."
 */
export class Revisions {
  readonly #desk: Desk;
  readonly #issuing: Issuing;
  /** One after the other: what one is about to settle another must not settle too. */
  readonly #turn = new Exclusive();

  constructor(desk: Desk, issuing: Issuing) {
    this.#desk = desk;
    this.#issuing = issuing;
  }

  /** Sends again what is not committed, and makes what is due. */
  async start(): Promise<void> {
    for (const pending of await this.#pending()) await this.#send(pending);
    await this.onChange();
  }

  /** Whether no revision is on its way. */
  async isDone(): Promise<boolean> {
    return (await this.#desk.store.range(PREFIX)).length === 0;
  }

  /** Periods were settled, or a month's bills are out. */
  onChange(): Promise<void> {
    return this.#turn.run(() => this.#settle());
  }

  async #settle(): Promise<void> {
    await this.#clear();
    const bids = new Set<string>();
    for (const { bid, carried } of await this.#issuing.corrections.all())
      if (carried === undefined) bids.add(toHex(bid));
    const due: [Uint8Array, number][] = [];
    for (const bid of [...bids].map(fromHex)) {
      const month = this.#lastBill(bid);
      if (month !== undefined && this.#desk.store.get(markName(month, bid)) === undefined) due.push([bid, month]);
    }
    if (due.length === 0) return;
    const session = await this.#issuing.session();
    for (const [bid, month] of due) await this.#revise(bid, month, session);
  }

  /** Bills were committed. */
  async onBills({ number }: Header): Promise<void> {
    await this.#desk.blocks.block(0, number);
    if (await this.#clear()) await this.onChange();
  }

  /** The month of a customer's last bill, once there will be no other. */
  #lastBill(bid: Uint8Array): number | undefined {
    const { register, store, keys } = this.#desk;
    const { to } = register.newest(bid);
    if (to === undefined) return undefined;
    const end = lastMonth(to);
    if (store.get(billedName(end)) === undefined) return undefined;
    const months = this.#issuing.billedMonths(bid, this.#firstMonth(bid), end);
    const last = months.at(-1);
    return last === undefined || (keys.erased !== undefined && last <= keys.erased) ? undefined : last;
  }

  #firstMonth(bid: Uint8Array): number {
    const own = this.#desk.register.enrolments().filter((one) => toHex(one.bid) === toHex(bid));
    return Math.min(...own.map(({ from }) => from.month));
  }

  async #revise(bid: Uint8Array, month: number, session: IssuingSession): Promise<void> {
    const customer = (await session.months.of(month)).get(toHex(bid));
    if (customer === undefined) return;
    const before = await this.#desk.view.bill(bid, month);
    if (before === undefined || (await this.#issuing.unsettled(customer, month, session)) === 0) return;
    const key = markName(month, bid);
    const bill = { month, revision: before.revision + 1, more: [{ key, value: new Uint8Array() }] };
    const entry = await this.#issuing.issue(customer, bill, session);
    await this.#send({ key, month, entry });
  }

  async #send({ month, entry }: Pending): Promise<void> {
    const leaf = this.#desk.sign("bills", billsCodec.encode({ month, entries: [entry] }));
    await this.#desk.outbox.add(outboxName(month, entry.bid), [transactionStep({ kind: KIND.bills, leaf })]);
  }

  async #pending(): Promise<Pending[]> {
    const marks = await this.#desk.store.range(PREFIX);
    return marks.map(({ key }) => {
      const [, month, bid] = key.split("/") as [string, string, string];
      const entry = this.#issuing.find(Number(month), fromHex(bid));
      if (entry !== undefined) return { key, month: Number(month), entry };
      throw new VeilgridError("malformed", "a bill that was made is not kept", { facts: { key }, blame: "operator" });
    });
  }

  /** Forgets what is committed; whether anything was. */
  async #clear(): Promise<boolean> {
    let cleared = false;
    for (const { key, month, entry } of await this.#pending()) {
      const committed = await this.#desk.view.bill(entry.bid, month);
      if (committed === undefined || committed.revision < entry.revision) continue;
      this.#desk.outbox.remove(outboxName(month, entry.bid));
      await this.#desk.store.write([{ key, value: undefined }]);
      cleared = true;
    }
    return cleared;
  }
}
