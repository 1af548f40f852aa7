import { canonicalJson, formatAmount, monthOf, periodStart, QUALITY_CODES, type BillReport } from "@veilgrid/protocol";
import type { Command } from "commander";
import { exactAmount, lineName, tariffLines, unitOf } from "./bill-lines.js";
import { addBillOptions, OFFLINE, type BillOptions } from "./bill-options.js";
import { withBill } from "./bill-source.js";
import { LocalTime } from "./local-time.js";
import { examples } from "./options.js";
import { counted, kilowattHours, line, printFacts, printTable, unitPrice } from "./output.js";

interface ShowOptions extends BillOptions {
  readonly periods?: boolean;
}

const NOTES = `--json prints the canonical report, with the seeds that open the customer's readings: it is for the customer
alone. Whether the figures are right is what "veilgrid bill verify" says.

${OFFLINE}`;

/** `veilgrid bill show`: a decrypted bill for its reader. */
export function addBillShow(parent: Command): void {
  addBillOptions(parent.command("show").argument("[meter]", "the meter, as the input calls it"))
    .description("decrypt a bill and show it")
    .option("--periods", "show each period too")
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid bill show P0001 --out my-run",
          "veilgrid bill show P0001 --month 2013-04 --periods --out my-run",
          "veilgrid bill show --ledger ledger.vgl --bid HEX --identity my.age-identity --bill bill.age --month 2013-04",
        ],
        NOTES,
      ),
    )
    .action((meter: string | undefined, options: ShowOptions) => show(meter, options));
}

async function show(meter: string | undefined, options: ShowOptions): Promise<void> {
  await withBill(meter, options, async ({ name, customer, month }) => {
    const { report } = await customer.open(month);
    if (options.json === true) line(canonicalJson(report));
    else print(name, report, options.periods === true);
  });
}

function print(name: string, report: BillReport, periods: boolean): void {
  const { tariff, total } = report;
  line(`Bill of ${name} for ${report.month}`);
  line();
  printFacts(factsOf(report));
  line();
  printTable(
    ["line", `exact (${unitOf(tariff)})`, "shown"],
    [
      ...report.lines.map(({ name: key, nano, shown }) => [
        lineName(key, report),
        exactAmount(nano),
        formatAmount(BigInt(shown), tariff.minorDigits),
      ]),
      ["total", "", formatAmount(BigInt(total), tariff.minorDigits)],
    ],
    [1, 2],
  );
  line();
  for (const sentence of tariffLines(tariff)) line(`- ${sentence}`);
  if (periods) printPeriods(report);
}

function factsOf(report: BillReport): [string, string][] {
  const { supply, feedback, columns, tariff, periodSeconds } = report;
  const time = new LocalTime(report.timeZone);
  const start = (k: number): number =>
    periodStart({ month: monthOf(report.month), k: 0 }, periodSeconds) + k * periodSeconds * 1000;
  const length = `${supply.to - supply.from} periods of ${periodSeconds / 60} minutes`;
  const prices = columns.priceMicro.flatMap((price) => (price === null ? [] : [BigInt(price)]));
  return [
    ["customer (BID)", report.bid],
    ["consortium", report.consortium],
    ["supply", `${time.of(start(supply.from))} to ${time.of(start(supply.to))} (${report.timeZone}), ${length}`],
    ...eliminatedFacts(report, (k) => time.of(start(k))),
    ["readings", `${feedback.measured} measured, ${feedback.missing} missing, ${feedback.estimated} estimated`],
    [
      "energy",
      kilowattHours(BigInt(feedback.energyWh)) + (feedback.threshold ? `, ${feedback.threshold} the threshold` : ""),
    ],
    ["price of a kWh", priceRange(prices, unitOf(tariff))],
  ];
}

/** The spans in which the meter was eliminated, and the periods whose faults are charged for. */
function eliminatedFacts({ eliminated, penalties }: BillReport, timeOf: (k: number) => string): [string, string][] {
  const facts: [string, string][] = eliminated.map(({ from, to }) => [
    "eliminated",
    `${timeOf(from)} to ${timeOf(to)}`,
  ]);
  const charged = penalties?.k.map(timeOf) ?? [];
  return charged.length === 0 ? facts : [...facts, ["faults", charged.join(", ")]];
}

function priceRange(prices: readonly bigint[], unit: string): string {
  const [first, ...others] = prices;
  if (first === undefined) return "none";
  const lowest = others.reduce((low, price) => (price < low ? price : low), first);
  const highest = others.reduce((high, price) => (price > high ? price : high), first);
  const range = lowest === highest ? unitPrice(lowest) : `${unitPrice(lowest)} to ${unitPrice(highest)}`;
  return `${range} ${unit}`;
}

function printPeriods({ columns, supply, month, periodSeconds, timeZone }: BillReport): void {
  const time = new LocalTime(timeZone);
  line();
  printTable(
    ["k", "period", "consumption", "price of a kWh", "cost", "quality"],
    columns.consumptionWh.map((wh, i) => {
      const k = supply.from + i;
      const price = columns.priceMicro[i] ?? null;
      return [
        String(k),
        time.of(periodStart({ month: monthOf(month), k }, periodSeconds)),
        kilowattHours(BigInt(wh)),
        price === null ? "" : unitPrice(price),
        exactAmount(columns.costNano[i] as string),
        QUALITY_CODES[columns.quality[i] as number] as string,
      ];
    }),
    [0, 2, 3, 4],
  );
  line(counted(columns.consumptionWh.length, "period"));
}
