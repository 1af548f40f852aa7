import { LedgerView, monthName, toHex } from "@veilgrid/protocol";
import type { Command } from "commander";
import { DataFolder } from "../world/folder.js";
import { KeptRun, labelOf } from "../world/kept.js";
import { addStageOptions, ON_FABRIC, type StageOptions } from "./ledger-options.js";
import { withFolderLedger } from "./ledger-source.js";
import { examples, monthOption } from "./options.js";
import { counted, line, printJson, printTable } from "./output.js";

interface ListOptions extends StageOptions {
  readonly month?: number;
}

/** A bill as the ledger names it. */
interface ListedBill {
  readonly meter: string;
  /** As the operator calls it; the first customer at a meter of the input has the meter's name. */
  readonly customer: string;
  readonly bid: string;
  readonly month: string;
  readonly revision: number;
  /** The content address, as people write it. */
  readonly cid: string;
  readonly hash: string;
}

/** `veilgrid bill list`: the bills that the ledger names. */
export function addBillList(parent: Command): void {
  addStageOptions(parent.command("list"))
    .description("list the bills that are on the ledger, with their addresses")
    .addOption(monthOption())
    .addHelpText(
      "after",
      examples(["veilgrid bill list --out my-run", "veilgrid bill list --month 2013-04 --json"], ON_FABRIC),
    )
    .action((options: ListOptions) => list(options));
}

async function list({ out, month, json = false, ...place }: ListOptions): Promise<void> {
  const run = await KeptRun.open(new DataFolder(out));
  const months = month === undefined ? run.months : [run.month(month)];
  const bills = await withFolderLedger(run.folder, place, ({ state }) => listed(run, months, new LedgerView(state)));
  if (json) printJson({ bills });
  else print(bills, months);
}

async function listed(run: KeptRun, months: readonly number[], view: LedgerView): Promise<ListedBill[]> {
  const { cidText } = await import("../ipfs/address.js");
  const customers = await run.customers();
  const bills: ListedBill[] = [];
  for (const month of months) {
    for (const { meter, name, bid } of customers) {
      const found = await view.bill(bid, month);
      if (found === undefined) continue;
      const { revision, cid, hash } = found;
      const where = { revision, cid: cidText(cid), hash: toHex(hash) };
      bills.push({ meter, customer: name, bid: toHex(bid), month: monthName(month), ...where });
    }
  }
  return bills;
}

function print(bills: readonly ListedBill[], months: readonly number[]): void {
  if (bills.length === 0) {
    line(`no bill of ${months.map(monthName).join(", ")} is issued yet`);
    return;
  }
  printTable(
    ["meter", "month", "revision", "content address"],
    bills.map(({ meter, customer, month, revision, cid }) => [
      labelOf({ meter, name: customer }),
      month,
      String(revision),
      cid,
    ]),
    [2],
  );
  line(counted(bills.length, "bill"));
}
