import { consortiumId, paramsCodec, quorum, toHex } from "@veilgrid/protocol";
import type { Command } from "commander";
import { runParams } from "../world/consortium.js";
import { regionOf } from "../world/plan.js";
import type { Run } from "../world/run.js";
import type { World } from "../world/world.js";
import { addPlaceOptions, ON_FABRIC, type PlaceOptions } from "./ledger-options.js";
import { examples, jsonOption } from "./options.js";
import { counted, line, printFacts, printJson, startOf } from "./output.js";
import { addRunOptions, type RunOptions } from "./run-options.js";
import { withAskedRun, withWorld } from "./stages.js";

interface SetupOptions extends RunOptions, PlaceOptions {
  readonly json?: boolean;
}

/** What a set-up run is. */
interface SetUp {
  readonly folder: string;
  /** The consortium id in hex: SHA-256 of the parameter set on the ledger. */
  readonly consortium: string;
  readonly members: readonly { readonly role: string; readonly msp: string; readonly key: string }[];
  readonly quorum: number;
  readonly regions: readonly { readonly region: number; readonly meters: number }[];
  readonly firstPeriod: string;
  readonly periods: number;
  readonly periodSeconds: number;
  readonly ledger: { readonly blocks: string; readonly tip: string };
}

const NOTES = `The run goes on with a folder alone: veilgrid epochs, readings send, periods run, price, bill issue.
One after the other they end where "veilgrid demo" ends.

${ON_FABRIC}
"veilgrid network params" begins such a run.`;

/** `veilgrid setup`: the first stage of a run. */
export function addSetup(parent: Command): void {
  addPlaceOptions(addRunOptions(parent.command("setup")))
    .description("make a data folder with its keys, put the consortium on the ledger and enrol the meters")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid setup --meters 12 --regions 1 --out my-run",
          "veilgrid setup --readings FILE --json",
          "veilgrid setup --ledger fabric --profile .fabric/profile.json --out my-run",
        ],
        NOTES,
      ),
    )
    .action((options: SetupOptions) => setup(options));
}

async function setup(options: SetupOptions): Promise<void> {
  await withAskedRun(options, async (run) => {
    const result = await withWorld(run, (world) => describe(run, world));
    if (options.json === true) printJson(result);
    else print(run, result);
  });
}

async function describe({ folder, record, keys }: Run, { ledger }: World): Promise<SetUp> {
  const params = runParams(record, keys);
  const { households, first, periods, periodSeconds } = record.input;
  const member = (role: string, { msp, key }: typeof params.cc): SetUp["members"][number] => ({
    role,
    msp,
    key: toHex(key),
  });
  const inRegion = (region: number): number =>
    households.filter((_, i) => regionOf(i, record.arguments.regions) === region).length;
  return {
    folder: folder.path,
    consortium: toHex(consortiumId(paramsCodec.encode(params))),
    members: [
      ...params.da.map((da, i) => member(`da/${i}`, da)),
      member("cc", params.cc),
      member("kgcbp", params.kgcbp),
    ],
    quorum: quorum(params.da.length),
    regions: Array.from({ length: record.arguments.regions }, (_, i) => ({ region: 1 + i, meters: inRegion(1 + i) })),
    firstPeriod: startOf(first, periodSeconds),
    periods,
    periodSeconds,
    ledger: { blocks: (await ledger.height()).toString(), tip: toHex(ledger.tip) },
  };
}

function print({ record }: Run, result: SetUp): void {
  const das = record.arguments.das;
  printFacts([
    ["consortium", result.consortium],
    ["members", `${counted(das, "aggregator")} (a quorum is ${result.quorum}), a control center, KGCBP`],
    ["meters", result.regions.map(({ region, meters }) => `${meters} in region ${region}`).join(", ")],
    ["periods", `${result.periods} of ${result.periodSeconds} s from ${result.firstPeriod}`],
    ["ledger", `${counted(Number(result.ledger.blocks), "block")}, hash ${result.ledger.tip.slice(0, 16)}`],
    ["folder", result.folder],
  ]);
  line();
  line(`Next:  veilgrid epochs --out ${result.folder}`);
}
