import {
  caseRef,
  explainPeriod,
  formatAmount,
  fromHex,
  monthOf,
  periodAt,
  periodEnd,
  periodStart,
  RING,
  toHex,
  type BillReport,
  type PeriodExplanation,
} from "@veilgrid/protocol";
import type { Command } from "commander";
import { instantsOf, parseTime, Zone } from "../input/zone.js";
import { exactAmount, unitOf } from "./bill-lines.js";
import { addBillOptions, OFFLINE, type BillOptions } from "./bill-options.js";
import { withBill } from "./bill-source.js";
import { EXIT } from "./failure.js";
import { unfit } from "./ledger-options.js";
import { LocalTime } from "./local-time.js";
import { examples } from "./options.js";
import { line, printJson, printTable } from "./output.js";

interface ExplainOptions extends BillOptions {
  readonly period: string;
}

const NOTES = `A period is told by its number k in the month, or by a time in it: with an offset (2013-04-08T18:30Z), or by the
clock of the bill's time zone (2013-04-08T18:30). Exit code 1: the bill says something else than the ledger.

${OFFLINE}`;

/** `veilgrid bill explain`: why a number of a bill is what it is. */
export function addBillExplain(parent: Command): void {
  addBillOptions(parent.command("explain").argument("[meter]", "the meter, as the input calls it"))
    .description("explain one period of a bill: what is on the ledger, how it opens, and what it costs")
    .requiredOption("--period <time|k>", "a time in the period, or its number in the month")
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid bill explain P0001 --period 2013-04-08T18:30Z --out my-run",
          "veilgrid bill explain P0001 --month 2013-04 --period 373 --out my-run --json",
        ],
        NOTES,
      ),
    )
    .action((meter: string | undefined, options: ExplainOptions) => explain(meter, options));
}

async function explain(meter: string | undefined, options: ExplainOptions): Promise<void> {
  await withBill(meter, options, async ({ name, customer, month }) => {
    const { report } = await customer.open(month);
    const explanation = await explainPeriod(report, indexOf(options.period, report), month);
    const agrees = follows(explanation);
    if (options.json === true) printJson({ name, month: report.month, agrees, ...shown(explanation) });
    else print(name, report, explanation, agrees);
    if (!agrees) process.exitCode = EXIT.failed;
  });
}

/** k of the period that is meant. @throws VeilgridError `bad-option` for no number and no time, or one of another month. */
function indexOf(text: string, { month, periodSeconds, timeZone }: BillReport): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  const time = parseTime(text);
  if (time === undefined) throw unfit(`--period ${text}: it is no number and no time such as ${month}-08T18:30Z`);
  const instants = instantsOf(time, new Zone(timeZone));
  const [instant, second] = instants;
  if (instant === undefined) throw unfit(`--period ${text}: in ${timeZone} no clock ever showed it`);
  if (second !== undefined) throw unfit(`--period ${text}: in ${timeZone} the clock showed it twice; give an offset`);
  const period = periodAt(instant, periodSeconds);
  if (period.month !== monthOf(month)) throw unfit(`--period ${text}: the bill is of ${month} (UTC)`);
  return period.k;
}

/** Whether what was billed is what the ledger opens to. */
function follows(one: PeriodExplanation): boolean {
  const { quality, complete, openedWh, billedWh, priceMicro, ledgerPrice, costNano } = one;
  const wh = complete ? openedWh === BigInt(billedWh) : true;
  const price = priceMicro === (ledgerPrice?.toString() ?? null);
  return (
    complete === (quality === "measured") && wh && price && BigInt(billedWh) * (ledgerPrice ?? 0n) === BigInt(costNano)
  );
}

function shown({ start, ...rest }: PeriodExplanation): Record<string, unknown> {
  return { ...rest, start: new Date(start).toISOString() };
}

function print(name: string, report: BillReport, one: PeriodExplanation, agrees: boolean): void {
  const { periodSeconds, timeZone, tariff } = report;
  const period = { month: monthOf(report.month), k: one.k };
  const time = new LocalTime(timeZone);
  const end = time.of(periodEnd(period, periodSeconds));
  line(
    `${name}, period ${one.k} of ${report.month}: ${time.of(periodStart(period, periodSeconds))} to ${end}, region ${one.region}`,
  );
  line();
  line(`${one.quality}: ${one.because}`);
  printHalves(one);
  line(openedLine(one));
  line(costLine(one, unitOf(tariff)));
  if (one.tierNano !== undefined) line(`the block tariff adds ${exactAmount(one.tierNano)} ${unitOf(tariff)} for it`);
  if (one.penaltyNano !== undefined) line(penaltyLine(report, one.penaltyNano, one.k));
  line(roundingLine(report));
  if (!agrees) line('the bill says something else than the ledger: see "veilgrid bill verify"');
}

function printHalves({ halves }: PeriodExplanation): void {
  printTable(
    ["half", "SHA-256(PRID) begins", "masked value on the ledger", "mask", "opens to (mod 2^64)"],
    halves.flatMap(({ prid, rc, mask }, i) => {
      const values = rc.length === 0 ? [undefined] : rc;
      return values.map((value) => [
        String(i + 1),
        prid,
        value?.toString() ?? "none",
        mask.toString(),
        value === undefined ? "" : ((value - mask + RING) % RING).toString(),
      ]);
    }),
    [0, 2, 3, 4],
  );
}

function openedLine({ openedWh }: PeriodExplanation): string {
  if (openedWh === undefined) return "so the period opens to nothing";
  return `the two add up, mod 2^64 and with a sign, to ${openedWh} Wh`;
}

function costLine({ billedWh, priceMicro, costNano }: PeriodExplanation, unit: string): string {
  if (priceMicro === null) return `billed: ${billedWh} Wh without a price, ${exactAmount(costNano)} ${unit}`;
  return `billed: ${billedWh} Wh x ${priceMicro} micro-units a kWh = ${costNano} nano-units (${exactAmount(costNano)} ${unit}), exactly`;
}

function penaltyLine({ penalties, tariff }: BillReport, nano: string, k: number): string {
  const { caseKey = "", caseId = [], k: ks = [] } = penalties ?? {};
  const ref = toHex(caseRef(fromHex(caseKey), fromHex(caseId[ks.indexOf(k)] ?? "")));
  return `the meter is blamed: ${exactAmount(nano)} ${unitOf(tariff)} by the ledger's verdict on the period with ref ${ref}`;
}

function roundingLine({ lines, tariff }: BillReport): string {
  const energy = lines.find(({ name }) => name === "energy");
  const amount = formatAmount(BigInt(energy?.shown ?? "0"), tariff.minorDigits);
  return `rounding: none here; all periods add up to ${energy?.nano ?? "0"} nano-units, which the bill shows as ${amount}`;
}
