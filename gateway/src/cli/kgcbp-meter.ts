import { toHex, type Period } from "@veilgrid/protocol";
import type { Command } from "commander";
import type { ChangePreview } from "../kgcbp/change-request.js";
import type { MeterOrder, OrderResult } from "../kgcbp/operator.js";
import { addDeskOptions, ON_A_SERVICE, withDesk, type DeskOptions } from "./kgcbp-desk.js";
import { addKgcbpMeterLog } from "./kgcbp-meter-log.js";
import { examples, whole } from "./options.js";
import { counted, line, printJson, printTable, startOf } from "./output.js";
import { periodArgument, PERIODS_ARE } from "./period-argument.js";

/** What every change takes. */
interface ChangeOptions extends DeskOptions {
  readonly from?: string;
  readonly dryRun?: boolean;
}

const NOTES = `A change holds from a period that no sent epoch has: the first one, unless a later one is asked for. The
same change again changes nothing. --dry-run says from when it would hold, and changes nothing.

A run makes keys for the customers and devices that --customer and --device name. To a service both are told by their
age recipients (age1...), and it draws the customer's BID; the device asks it for its keys.`;

const MEANWHILE = {
  counted: "count as before",
  missing: "count as missing, because the present keys must not be used any more",
  unsupplied: "are not supplied yet",
} as const;

const ELIMINATED = {
  ends: "the meter is eliminated until then, and counts again with the first epoch of these periods that is not sent yet",
  "goes-on": "the meter stays eliminated (veilgrid kgcbp reinstate lets it count again)",
} as const;

function addChange(parent: Command, name: string, what: string, example: string): Command {
  const command = addDeskOptions(parent.command(name).description(what).argument("<meter>", "the meter's name"));
  return command
    .option("--from <period>", "the first period that it holds for (default: the first possible one)")
    .option("--dry-run", "say from when it would hold, and change nothing")
    .addHelpText(
      "after",
      examples(
        [`veilgrid kgcbp meter ${name} ${example} --out my-run`],
        `${NOTES}\n\n${PERIODS_ARE}\n\n${ON_A_SERVICE}`,
      ),
    );
}

const region = whole(1, 65_535);

/** `veilgrid kgcbp meter …`: changes of meters, and a list of them. */
export function addKgcbpMeter(parent: Command): void {
  const meter = parent
    .command("meter")
    .description("add, remove, replace, move, sell and re-key meters, list them, and read their logs");
  addComing(meter);
  addChange(meter, "remove", "end the supply at a meter", "S03").action((name: string, options: ChangeOptions) =>
    change({ kind: "remove", meter: name }, options),
  );
  addReplace(meter);
  addChange(meter, "move", "count a meter in another region", "S03 --region 2")
    .requiredOption("--region <n>", "the new region", region)
    .action((name: string, options: ChangeOptions & { region: number }) =>
      change({ kind: "move", meter: name, region: options.region }, options),
    );
  addChange(meter, "sell", "supply another customer at a meter, under keys of its own", "S03 --customer Smith")
    .requiredOption("--customer <name>", "your name of the new customer, or its age recipient")
    .action((name: string, options: ChangeOptions & { customer: string }) =>
      change({ kind: "sell", meter: name, customer: options.customer }, options),
    );
  addChange(meter, "rekey", "give a meter fresh keys", "S03 --compromised")
    .option("--compromised", "the present keys are out: nothing is sent under them any more")
    .action((name: string, options: ChangeOptions & { compromised?: boolean }) =>
      change({ kind: "rekey", meter: name, compromised: options.compromised === true }, options),
    );
  addDeskOptions(meter.command("list").description("list the meters with their supplies and changes"))
    .addHelpText("after", examples(["veilgrid kgcbp meter list --out my-run"], ON_A_SERVICE))
    .action((options: DeskOptions) => list(options));
  addKgcbpMeterLog(meter);
}

interface Coming extends ChangeOptions {
  readonly region: number;
  readonly customer: string;
  readonly like?: string;
  readonly device: string;
}

function addComing(parent: Command): void {
  addChange(parent, "add", "supply a customer at a new meter", "N1 --region 1 --customer Smith --like S03")
    .requiredOption("--region <n>", "the region that it counts in", region)
    .requiredOption("--customer <name>", "your name of the customer, or its age recipient")
    .option("--like <meter>", "in a run: the meter of the readings whose register it shows")
    .option("--device <name>", "your name of the device, or its age recipient", "1")
    .action((name: string, { region: of, customer, like, device, ...options }: Coming) =>
      change({ kind: "add", meter: name, region: of, customer, like, device }, options),
    );
}

interface Replacing extends ChangeOptions {
  readonly device: string;
  readonly keepKey?: boolean;
  readonly compromised?: boolean;
}

function addReplace(parent: Command): void {
  addChange(parent, "replace", "put another device in a meter's place", "S03 --device D2")
    .requiredOption("--device <name>", "your name of the new device, or its age recipient")
    .option("--keep-key", "go on under the old device's keys (default: fresh ones)")
    .option("--compromised", "the old device's keys are out: nothing is sent under them any more")
    .action((name: string, { device, keepKey, compromised = false, ...options }: Replacing) => {
      const key = keepKey === true ? "kept" : "fresh";
      return change({ kind: "replace", meter: name, device, key, compromised }, options);
    });
}

/** A change, at the present time of the run or of the service. */
async function change(order: MeterOrder, options: ChangeOptions): Promise<void> {
  const { json = false, dryRun = false, from } = options;
  await withDesk(options, async ({ kgcbp, calendar }) => {
    const { periodSeconds } = calendar;
    const at = from === undefined ? {} : { at: periodArgument(from, calendar) };
    const made = await kgcbp.change({ order: { ...order, ...at }, dryRun });
    if (json) printJson({ ...jsonOf(order, made, periodSeconds), dryRun });
    else print(order, made, { dryRun, periodSeconds });
  });
}

function jsonOf(
  { kind, meter }: MeterOrder,
  { change: made, preview, bid }: OrderResult,
  periodSeconds: number,
): object {
  const start = (period: Period): string => startOf(period, periodSeconds);
  const from = preview?.from ?? made?.from;
  return {
    kind,
    meter,
    from: from && start(from),
    again: preview === undefined,
    ...(bid && { bid: toHex(bid) }),
    ...(preview && {
      regions: preview.regions,
      sent: preview.sent.map(({ region: of, first, periods }) => ({ region: of, first: start(first), periods })),
      until: { from: start(preview.until.from), to: start(preview.until.to), meanwhile: preview.until.meanwhile },
      elimination: preview.elimination ?? null,
    }),
  };
}

interface Printing {
  readonly dryRun: boolean;
  readonly periodSeconds: number;
}

function print(order: MeterOrder, { change: made, preview, bid }: OrderResult, printing: Printing): void {
  const { kind, meter } = order;
  if (preview !== undefined) printPreview(preview, printing);
  else line(`${kind} ${meter}: known already, holds${since(made?.from, printing)}`);
  if (bid !== undefined) line(`  the customer's BID, by which the bills are found: ${toHex(bid)}`);
}

function since(from: Period | undefined, { periodSeconds }: Printing): string {
  return from === undefined ? "" : ` from ${startOf(from, periodSeconds)}`;
}

function printPreview(preview: ChangePreview, { dryRun, periodSeconds }: Printing): void {
  const { kind, meter, sent, elimination } = preview;
  line(`${kind} ${meter}: ${dryRun ? "would hold" : "holds"} from ${startOf(preview.from, periodSeconds)}`);
  for (const { region: of, first, periods } of sent) {
    line(`  sent already, region ${of}: ${counted(periods, "period")} from ${startOf(first, periodSeconds)}`);
  }
  const { from, to, meanwhile } = preview.until;
  const begins = startOf(from, periodSeconds);
  if (begins !== startOf(to, periodSeconds)) line(`  until then periods from ${begins} on ${MEANWHILE[meanwhile]}`);
  if (elimination !== undefined) line(`  ${ELIMINATED[elimination]}`);
}

async function list(options: DeskOptions): Promise<void> {
  const { json = false } = options;
  await withDesk(options, async ({ kgcbp, nameOf, calendar: { periodSeconds } }) => {
    const start = (period: Period | undefined): string => (period === undefined ? "" : startOf(period, periodSeconds));
    const standings = await kgcbp.meters();
    const rows = standings.flatMap(({ meter, supplies, changes }) =>
      supplies.map(({ region: of, from, to, bid }) => {
        const last = changes.findLast((one) => one.from.month === from.month && one.from.k === from.k)?.kind;
        return { meter, customer: nameOf(bid), bid, region: of, from: start(from), to: start(to), change: last };
      }),
    );
    if (json) printJson({ meters: rows.map((row) => ({ ...row, bid: toHex(row.bid) })) });
    else printTable(["meter", "customer", "region", "from", "to", "change"], rows.map(cells), [2]);
  });
}

function cells(row: {
  readonly meter: string;
  readonly customer: string;
  readonly region: number;
  readonly from: string;
  readonly to: string;
  readonly change: string | undefined;
}): string[] {
  return [row.meter, row.customer, String(row.region), row.from, row.to, row.change ?? ""];
}
