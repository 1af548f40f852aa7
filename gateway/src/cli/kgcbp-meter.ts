import type { Period } from "@veilgrid/protocol";
import type { Command } from "commander";
import type { ChangePreview } from "../kgcbp/change-request.js";
import type { Enrolment, MeterChange } from "../ports/keystore.js";
import type { MeterWish } from "../world/run-meters.js";
import type { World } from "../world/world.js";
import { addStageOptions, type StageOptions } from "./ledger-options.js";
import { addKgcbpMeterLog } from "./kgcbp-meter-log.js";
import { examples, whole } from "./options.js";
import { counted, line, printJson, printTable, startOf } from "./output.js";
import { periodArgument, PERIODS_ARE } from "./period-argument.js";
import { withRun, withWorld } from "./stages.js";

/** What every change takes. */
interface ChangeOptions extends StageOptions {
  readonly from?: string;
  readonly dryRun?: boolean;
}

const NOTES = `A change holds from a period that no sent epoch has: the first one, unless a later one is asked for. The
same change again changes nothing. --dry-run says from when it would hold, and changes nothing.`;

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
  const command = addStageOptions(parent.command(name).description(what).argument("<meter>", "the meter's name"));
  return command
    .option("--from <period>", "the first period that it holds for (default: the first possible one)")
    .option("--dry-run", "say from when it would hold, and change nothing")
    .addHelpText(
      "after",
      examples([`veilgrid kgcbp meter ${name} ${example} --out my-run`], `${NOTES}\n\n${PERIODS_ARE}`),
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
    .requiredOption("--customer <name>", "your name of the new customer")
    .action((name: string, options: ChangeOptions & { customer: string }) =>
      change({ kind: "sell", meter: name, customer: options.customer }, options),
    );
  addChange(meter, "rekey", "give a meter fresh keys", "S03 --compromised")
    .option("--compromised", "the present keys are out: nothing is sent under them any more")
    .action((name: string, options: ChangeOptions & { compromised?: boolean }) =>
      change({ kind: "rekey", meter: name, compromised: options.compromised === true }, options),
    );
  addStageOptions(meter.command("list").description("list the meters with their supplies and changes"))
    .addHelpText("after", examples(["veilgrid kgcbp meter list --out my-run"]))
    .action((options: StageOptions) => list(options));
  addKgcbpMeterLog(meter);
}

interface Coming extends ChangeOptions {
  readonly region: number;
  readonly customer: string;
  readonly like: string;
  readonly device: string;
}

function addComing(parent: Command): void {
  addChange(parent, "add", "supply a customer at a new meter", "N1 --region 1 --customer Smith --like S03")
    .requiredOption("--region <n>", "the region that it counts in", region)
    .requiredOption("--customer <name>", "your name of the customer")
    .requiredOption("--like <meter>", "the meter of the readings whose register it shows")
    .option("--device <name>", "your name of the device", "1")
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
    .requiredOption("--device <name>", "your name of the new device")
    .option("--keep-key", "go on under the old device's keys (default: fresh ones)")
    .option("--compromised", "the old device's keys are out: nothing is sent under them any more")
    .action((name: string, { device, keepKey, compromised = false, ...options }: Replacing) => {
      const key = keepKey === true ? "kept" : "fresh";
      return change({ kind: "replace", meter: name, device, key, compromised }, options);
    });
}

/** A change by its own names, at the run's present time. */
async function change(wish: MeterWish, options: ChangeOptions): Promise<void> {
  const { json = false, dryRun = false, from } = options;
  await withRun(options, async (run) => {
    const { periodSeconds } = run.record.input;
    const asked: MeterWish = from === undefined ? wish : { ...wish, at: periodArgument(from, run) };
    const { change: made, preview } = await withWorld(run, (world) => make(world, asked, dryRun));
    if (json) printJson({ ...jsonOf(wish, made, preview, periodSeconds), dryRun });
    else print(wish, { made, preview, dryRun }, periodSeconds);
  });
}

interface Made {
  readonly change?: MeterChange;
  readonly preview: ChangePreview | undefined;
}

async function make(world: World, wish: MeterWish, dryRun: boolean): Promise<Made> {
  return dryRun ? { preview: await world.previewChange(wish) } : world.changeMeter(wish);
}

function jsonOf(
  { kind, meter }: MeterWish,
  made: MeterChange | undefined,
  preview: ChangePreview | undefined,
  periodSeconds: number,
): object {
  const start = (period: Period): string => startOf(period, periodSeconds);
  const from = preview?.from ?? made?.from;
  return {
    kind,
    meter,
    from: from && start(from),
    again: preview === undefined,
    ...(preview && {
      regions: preview.regions,
      sent: preview.sent.map(({ region: of, first, periods }) => ({ region: of, first: start(first), periods })),
      until: { from: start(preview.until.from), to: start(preview.until.to), meanwhile: preview.until.meanwhile },
      elimination: preview.elimination ?? null,
    }),
  };
}

function print(
  { kind, meter }: MeterWish,
  { made, preview, dryRun }: { made: MeterChange | undefined; preview: ChangePreview | undefined; dryRun: boolean },
  periodSeconds: number,
): void {
  if (preview === undefined) {
    const since = made === undefined ? "" : ` from ${startOf(made.from, periodSeconds)}`;
    line(`${kind} ${meter}: known already, holds${since}`);
    return;
  }
  line(`${kind} ${meter}: ${dryRun ? "would hold" : "holds"} from ${startOf(preview.from, periodSeconds)}`);
  for (const { region: of, first, periods } of preview.sent) {
    line(`  sent already, region ${of}: ${counted(periods, "period")} from ${startOf(first, periodSeconds)}`);
  }
  const { from, to, meanwhile } = preview.until;
  const begins = startOf(from, periodSeconds);
  if (begins !== startOf(to, periodSeconds)) line(`  until then periods from ${begins} on ${MEANWHILE[meanwhile]}`);
  if (preview.elimination !== undefined) line(`  ${ELIMINATED[preview.elimination]}`);
}

async function list(options: StageOptions): Promise<void> {
  const { json = false } = options;
  await withRun(options, async (run) => {
    const { periodSeconds } = run.record.input;
    const start = (period: Period | undefined): string => (period === undefined ? "" : startOf(period, periodSeconds));
    const [standings, customers] = await withWorld(run, async (world) => [world.meters(), await world.customers()]);
    const nameOf = ({ bid }: Enrolment): string =>
      customers.find((customer) => Buffer.from(customer.bid).equals(Buffer.from(bid)))?.name ?? "";
    const rows = standings.flatMap(({ meter, supplies, changes }) =>
      supplies.map((supply) => {
        const { region: of, from, to, bid } = supply;
        const last = changes.findLast((one) => one.from.month === from.month && one.from.k === from.k)?.kind;
        return { meter, customer: nameOf(supply), bid, region: of, from: start(from), to: start(to), change: last };
      }),
    );
    if (json) printJson({ meters: rows.map((row) => ({ ...row, bid: Buffer.from(row.bid).toString("hex") })) });
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
