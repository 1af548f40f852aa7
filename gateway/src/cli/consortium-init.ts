import type { Command } from "commander";
import { Option } from "commander";
import { parsePolicy } from "../input/prices.js";
import { lastPeriodsOf, TIME_LAPSE, type ConsortiumShape } from "../local/shape.js";
import { ledgerKinds, type LedgerKind } from "../world/plan.js";
import { unfit } from "./ledger-options.js";
import { examples, jsonOption, whole } from "./options.js";
import { counted, line, printFacts, printJson, startOf } from "./output.js";

/** What says which consortium is made. */
export interface ShapeOptions {
  readonly meters: number;
  readonly das: number;
  readonly regions: number;
  readonly ledger: LedgerKind;
  readonly profile?: string;
  readonly month: string;
  readonly periods?: number;
  readonly periodSeconds: 900 | 1800;
  readonly price: string;
  readonly timezone: string;
  readonly minMeters: number;
  readonly host: string;
  readonly basePort: number;
}

interface InitOptions extends ShapeOptions {
  readonly out: string;
  readonly json?: boolean;
}

const NOTES = `Each party's folder has its configuration, its secrets (mode 0600) and its certificates, and nothing that is another's
own. On real machines each organisation makes its own: this is a consortium of one machine, whose maker saw every key.
The supply is of the last --periods of --month, so that bills are due when they are over.
On Fabric: deploy the chaincode with the parameter set before "veilgrid up"
(npm run fabric -- deploy --params FOLDER/params.bin).`;

/** Adds what says which consortium is made. */
export function addShapeOptions(command: Command): Command {
  const ledger = new Option("--ledger <where>", "where the ledger is").choices(ledgerKinds).default("embedded");
  return command
    .option("--meters <n>", "number of meters", whole(1, 100_000), 12)
    .option("--das <w>", "number of data aggregators", whole(1, 100), 4)
    .option("--regions <n>", "meters are spread over so many regions", whole(1, 1000), 1)
    .addOption(ledger)
    .option("--profile <file>", "connection profile of a Fabric network")
    .option("--month <month>", "YYYY-MM", "2026-03")
    .option("--periods <n>", "periods of supply (default: a day)", whole(1, 3000))
    .addOption(
      new Option("--period-seconds <s>", "length of a period").choices(["900", "1800"]).argParser(Number).default(1800),
    )
    .option("--price <policy>", "flat:MICRO | tou:HH-HH=MICRO,... | linear:BASE,SLOPE[,MIN,MAX]", "flat:250000")
    .option("--timezone <zone>", "IANA time zone of the bills", "UTC")
    .option("--min-meters <n>", "fewest complete meters whose sum is released, 5 or more", whole(5, 5000), 10)
    .option("--host <host>", "where services listen", "127.0.0.1")
    .option("--base-port <n>", "first of the ports that services listen on; 0 for any", whole(0, 65_000), 0);
}

/** The consortium that the options ask for. @throws VeilgridError `bad-option` and what a price policy throws. */
export async function shapeOf(options: ShapeOptions): Promise<ConsortiumShape> {
  const { meters, das, regions, month, periodSeconds, price, timezone, host, basePort, minMeters } = options;
  await parsePolicy(price, { periodSeconds, timezone });
  const periods = options.periods ?? 86_400 / periodSeconds;
  const first = lastPeriodsOf(month, periods, periodSeconds);
  const params = { ...TIME_LAPSE, minReleaseMeters: minMeters };
  const shape = { meters, das, regions, periodSeconds, first, periods, price, timezone, params, host, basePort };
  return { ...shape, ledger: ledgerChoice(options) };
}

function ledgerChoice({ ledger, profile }: ShapeOptions): ConsortiumShape["ledger"] {
  if (ledger === "embedded") {
    if (profile !== undefined) throw unfit("--profile goes with --ledger fabric");
    return { kind: "embedded" };
  }
  if (profile === undefined) throw unfit("--ledger fabric needs the network's --profile FILE");
  return { kind: "fabric", profile };
}

/** `veilgrid consortium init`: the folders of all parties, for one machine. */
export function addConsortiumInit(parent: Command): void {
  addShapeOptions(parent.command("init"))
    .description("make a folder for each party of a consortium on this machine, with keys and configurations")
    .requiredOption("--out <folder>", "where to; it must not be there")
    .addOption(jsonOption())
    .addHelpText("after", examples(["veilgrid consortium init --meters 12 --periods 4 --out my-consortium"], NOTES))
    .action((options: InitOptions) => init(options));
}

async function init({ out, json = false, ...options }: InitOptions): Promise<void> {
  const { makeConsortium } = await import("../local/making.js");
  const overview = await makeConsortium(await shapeOf(options), out);
  if (json) {
    printJson({ folder: out, ...overview });
    return;
  }
  const { consortium, das, meters, regions, periods, periodSeconds, first } = overview;
  printFacts([
    ["consortium", consortium],
    ["parties", `${counted(das.length, "aggregator")}, a control center, KGCBP`],
    ["meters", `${meters} in ${counted(regions, "region")}`],
    ["periods", `${String(periods)} of ${periodSeconds} s from ${startOf(first, periodSeconds)}`],
    ["folder", out],
  ]);
  line();
  line(`Next:  veilgrid up --out ${out}`);
}
