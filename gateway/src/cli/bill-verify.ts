import {
  formatAmount,
  monthName,
  toHex,
  type BillReport,
  type Difference,
  type VeilgridError,
} from "@veilgrid/protocol";
import type { Command } from "commander";
import { addBillOptions, isOffline, OFFLINE, type BillOptions } from "./bill-options.js";
import { withAllBills, withBill, type BillCase } from "./bill-source.js";
import { EXIT, isFailedCheck } from "./failure.js";
import { unfit } from "./ledger-options.js";
import { examples } from "./options.js";
import { counted, line, printJson, printTable, Progress } from "./output.js";

interface VerifyOptions extends BillOptions {
  readonly all?: boolean;
}

/** The verdict on a bill. */
interface Verdict {
  /** The operator's name of the meter; offline the BID. */
  readonly name: string;
  readonly month: string;
  readonly verified: boolean;
  /** Minor units; null for a bill that cannot be read. */
  readonly total: string | null;
  /** Of the ciphertext, as the ledger has it; null for a bill that cannot be read. */
  readonly hash: string | null;
  readonly differences: readonly Difference[];
  /** The months whose settlement could not be recomputed, because a bill is not at hand. */
  readonly uncheckedDeltas: readonly string[];
}

/** A verdict with what it is about, which is for the customer alone. */
interface Verified {
  readonly verdict: Verdict;
  readonly report?: BillReport;
}

const SHOWN = 20;

const NOTES = `The bill is fetched and compared with the ledger's hash, decrypted, and recomputed from the ledger: the seeds
against the committed roots, then each period's readings, masks, price and cost, every line and the total. Each block
that is relied on has its votes verified. Exit code 1: a bill does not follow from the ledger.

What a bill settles of earlier months is recomputed from those months' bills, which are in the folder or the block
store, or else given by --earlier. That the settled values are what the meter measured is the word of its own log.

${OFFLINE}`;

/** `veilgrid bill verify`: whether bills follow from the ledger. */
export function addBillVerify(parent: Command): void {
  addBillOptions(parent.command("verify").argument("[meter]", "the meter, as the input calls it"))
    .description("recompute a bill from the ledger, and say whether it is right")
    .option("--all", "every bill of the folder")
    .option(
      "--earlier <file>",
      "with --bill: an earlier bill that it settles; may be repeated",
      (file, all?: string[]) => [...(all ?? []), file],
    )
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid bill verify P0001 --out my-run",
          "veilgrid bill verify --all --month 2013-04 --out my-run --json",
          "veilgrid bill verify --all --ledger fabric --profile .fabric/profile.json --out my-run",
          "veilgrid bill verify --ledger ledger.vgl --bid HEX --identity my.age-identity --bill bill.age --month 2013-04",
        ],
        NOTES,
      ),
    )
    .action((meter: string | undefined, options: VerifyOptions) => verify(meter, options));
}

async function verify(meter: string | undefined, options: VerifyOptions): Promise<void> {
  const all = options.all === true;
  if (all && (meter !== undefined || isOffline(options))) {
    throw unfit("--all goes with a folder, and not with a METER");
  }
  const bills = all ? await verifyAll(options) : [await withBill(meter, options, verdictOn)];
  const verified = bills.every(({ verdict }) => verdict.verified);
  if (options.json === true) printJson({ verified, bills: bills.map(({ verdict }) => verdict) });
  else if (all) printAll(bills);
  else for (const bill of bills) printOne(bill);
  if (!verified) process.exitCode = EXIT.failed;
}

async function verifyAll(options: VerifyOptions): Promise<Verified[]> {
  const progress = new Progress(options.json === true);
  return withAllBills(options, async (bills, count) => {
    const verified: Verified[] = [];
    for await (const bill of bills) {
      verified.push(await verdictOn(bill));
      progress.show("bills verified", verified.length, count);
    }
    return verified;
  });
}

/** @throws VeilgridError where the bill cannot be checked at all. */
async function verdictOn({ name, customer, month, others }: BillCase): Promise<Verified> {
  const of = { name, month: monthName(month.month) };
  try {
    const { report, verified, differences, uncheckedDeltas, entry } = await customer.verify(month, others);
    const [total, hash] = [report.total, toHex(entry.hash)];
    return { verdict: { ...of, verified, total, hash, differences, uncheckedDeltas }, report };
  } catch (error) {
    if (!isFailedCheck(error)) throw error;
    const nothing = { total: null, hash: null, uncheckedDeltas: [] };
    return { verdict: { ...of, ...nothing, verified: false, differences: [unreadable(error)] } };
  }
}

function unreadable({ code, message }: VeilgridError): Difference {
  return { code, what: message, ledger: "", report: "" } as Difference;
}

function totalOf({ report }: Verified): string {
  return report === undefined ? "" : formatAmount(BigInt(report.total), report.tariff.minorDigits);
}

function sentenceOf({ code, k, what, ledger, report }: Difference): string {
  const where = k === undefined ? "" : ` (period ${k})`;
  if (ledger === report) return `${code}${where}: ${what}`;
  return `${code}${where}: ${what}: ${ledger} by the ledger, ${report} by the bill`;
}

function printAll(bills: readonly Verified[]): void {
  printTable(
    ["meter", "month", "total", "verified"],
    bills.map((bill) => {
      const { name, month, differences } = bill.verdict;
      return [name, month, totalOf(bill), differences[0] === undefined ? "yes" : `NO: ${sentenceOf(differences[0])}`];
    }),
    [2],
  );
  const good = bills.filter(({ verdict }) => verdict.verified).length;
  line(`${good} of ${counted(bills.length, "bill")} verified from the ledger`);
}

function settlementOf({ month, k }: BillReport["deltas"][number], { uncheckedDeltas }: Verdict): string {
  const what = `the settlement of ${counted(k.length, "period")} of ${month}`;
  if (uncheckedDeltas.includes(month))
    return `not recomputed: ${what}, for a bill since then is not at hand (--earlier)`;
  return `recomputed: ${what}; its values are the word of the meter's own log`;
}

function printOne(bill: Verified): void {
  const { verdict, report } = bill;
  const { name, month, differences } = verdict;
  if (verdict.verified && report !== undefined) {
    const periods = counted(report.columns.consumptionWh.length, "period");
    const leaves = counted(report.seedLeaves.length, "set of seeds", "sets of seeds");
    line(`verified: ${totalOf(bill)} for ${name}, ${month}`);
    line(`${leaves} under the ledger's roots, ${periods} and ${counted(report.lines.length, "line")} recomputed`);
    for (const delta of report.deltas) line(settlementOf(delta, verdict));
    return;
  }
  line(`NOT verified: the bill of ${name}, ${month}`);
  for (const difference of differences.slice(0, SHOWN)) line(`  ${sentenceOf(difference)}`);
  if (differences.length > SHOWN) line(`  ... and ${differences.length - SHOWN} more`);
}
