import { LedgerView, monthName, VerifiedSignatures, type BillReport } from "@veilgrid/protocol";
import { CommittedMonth, ContentFolder, Customer, withHistory, type Run, type World } from "@veilgrid/gateway";

const REMEMBERED = 50_000;

/** A bill as its customer sees it. */
export interface SeenBill {
  readonly meter: string;
  readonly month: string;
  /** The code of what is wrong with it, if anything is. */
  readonly wrong: string | undefined;
  readonly report: BillReport;
}

/** The bills of a month, fetched, opened and recomputed by their customers from the ledger as it is now. */
export function seenBills(run: Run, { ledger }: Pick<World, "ledger">, month: number): Promise<SeenBill[]> {
  return withHistory(ledger, async (history) => {
    const modules = { view: new LedgerView(history), memory: new VerifiedSignatures(REMEMBERED) };
    const committed = await CommittedMonth.open(month, modules);
    const content = await ContentFolder.open(run.folder.ipfs);
    const seen: SeenBill[] = [];
    for (const [i, { bid, customer }] of run.keys.homes.entries()) {
      const own = new Customer({ bid, identity: customer.identity }, { content });
      const { report, verified, differences } = await own.verify(committed);
      const wrong = verified ? undefined : (differences[0]?.code ?? "not verified");
      seen.push({ meter: run.record.input.households[i] as string, month: monthName(month), wrong, report });
    }
    return seen;
  });
}
