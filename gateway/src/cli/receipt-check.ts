import { readFile } from "node:fs/promises";
import { VerifiedSignatures, monthName } from "@veilgrid/protocol";
import type { Proof } from "@veilgrid/meter-client";
import type { Command } from "commander";
import { ReceiptCourt, type ReceiptJudgement } from "../customer/receipts.js";
import { parseReceipts } from "../input/receipt-file.js";
import { withHistory, type HistoricLedger } from "../ledger/history.js";
import { EXIT } from "./failure.js";
import { addLedgerOptions, sourceOf, unfit, type LedgerOptions } from "./ledger-options.js";
import { withLedger } from "./ledger-source.js";
import { examples, jsonOption } from "./options.js";
import { counted, line, printJson, printTable } from "./output.js";
import { calendarOf, periodArgument, PERIODS_ARE } from "./period-argument.js";
import { keptReceipts } from "./receipt-source.js";
import { withRun, withWorld } from "./stages.js";

interface CheckOptions extends LedgerOptions {
  readonly meter?: string;
  readonly period?: string;
  readonly json?: boolean;
}

const NOTES = `A receipt is a quorum's promise that a reading will be in its period's block. The committed block alone acquits
those who signed it: it has the reading, or two others under the same one-time key. Without that the receipt convicts,
by name, each aggregator that signed the receipt and voted for the block. What is no valid receipt is refused, and
convicts nobody.
Exit codes: 0 acquitted, 1 convicted, 75 undecided, for there is no block yet.`;

const REMEMBERED = 1000;

/** `veilgrid receipt check`: did those who promised to count a reading keep their word? */
export function addReceiptCheck(parent: Command): void {
  addLedgerOptions(
    parent.command("check").argument("[file]", 'receipts as JSON, as "veilgrid receipt export" prints them'),
  )
    .description("acquit or convict the aggregators of a kept receipt, by the ledger alone")
    .option("--meter <meter>", "in place of a file: the receipts of a meter of the folder's run")
    .option("--period <period>", "with --meter: which period")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid receipt check receipt.json --ledger ledger.vgl.gz",
          "veilgrid receipt check --meter P0001 --period 2013-04-08T18:30Z --out my-run",
        ],
        `${NOTES}\n\n${PERIODS_ARE}`,
      ),
    )
    .action((file: string | undefined, options: CheckOptions) => check(file, options));
}

async function check(file: string | undefined, options: CheckOptions): Promise<void> {
  const { meter, period, json = false } = options;
  if ((file === undefined) === (meter === undefined)) throw unfit("give either a FILE of receipts, or --meter");
  if ((meter === undefined) !== (period === undefined)) throw unfit("--meter and --period go together");
  const judged = await (file === undefined
    ? judgeKept(meter as string, period as string, options)
    : judgeFile(file, options));
  if (json) printJson({ receipts: judged.map(judgementJson) });
  else print(judged);
  const verdicts = judged.map(({ verdict }) => verdict);
  if (verdicts.includes("convicted")) process.exitCode = EXIT.failed;
  else if (verdicts.includes("undecided")) process.exitCode = EXIT.waiting;
}

async function judgeFile(file: string, options: CheckOptions): Promise<ReceiptJudgement[]> {
  const proofs = parseReceipts(await readFile(file, "utf8"));
  return withLedger(options, (ledger) => judgeAll(ledger, proofs));
}

async function judgeKept(meter: string, text: string, options: CheckOptions): Promise<ReceiptJudgement[]> {
  const source = sourceOf(options);
  if (source.kind !== "folder") throw unfit("--meter goes with a folder, and a FILE with any other ledger");
  const { place, path: out } = source;
  return withRun({ ...place, out }, async (run) => {
    const period = periodArgument(text, calendarOf(run));
    return withWorld(run, async (world) => judgeAll(world.ledger, await keptReceipts(world, meter, period)));
  });
}

function judgeAll(ledger: HistoricLedger, proofs: readonly Proof[]): Promise<ReceiptJudgement[]> {
  return withHistory(ledger, async (state) => {
    const court = new ReceiptCourt(state, new VerifiedSignatures(REMEMBERED));
    const judged: ReceiptJudgement[] = [];
    for (const proof of proofs) judged.push(await court.judge(proof));
    return judged;
  });
}

function judgementJson({ region, period: { month, k }, verdict, because, names }: ReceiptJudgement): object {
  return { region, month: monthName(month), k, verdict, because, names };
}

function print(judged: readonly ReceiptJudgement[]): void {
  if (judged.length === 0) {
    line("the meter has no receipt of the period");
    return;
  }
  printTable(
    ["region", "month", "k", "verdict", "because"],
    judged.map(({ region, period: { month, k }, verdict, because, names }) => {
      const who = names.length === 0 ? "" : `${names.join(", ")}: `;
      return [String(region), monthName(month), String(k), verdict, `${who}${because}`];
    }),
    [0, 2],
  );
  const convicted = new Set(judged.flatMap(({ names }) => names));
  const words = convicted.size === 0 ? "nobody is convicted" : `convicted: ${[...convicted].join(", ")}`;
  line(`${counted(judged.length, "receipt")} checked; ${words}`);
}
