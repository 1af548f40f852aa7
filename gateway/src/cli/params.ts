import { decodeParamsLeaf, toHex } from "@veilgrid/protocol";
import type { Command } from "commander";
import { writeWhole } from "../store/files.js";
import { proposeParams } from "../world/successor.js";
import { addPlaceOf, type ServedOptions } from "./served-options.js";
import { examples, jsonOption, whole } from "./options.js";
import { unfit } from "./ledger-options.js";
import { Progress, line, printJson } from "./output.js";
import { joining, leaving, rotation, runChanges, type ChangeOptions } from "./params-changes.js";
import { paramsValue, VALUES_ARE } from "./params-value.js";
import type * as ParamsService from "./params-service.js";
import { paramsState, printState, readProposal } from "./params-text.js";
import { reach, withRun, withWorld } from "./stages.js";

interface ProposeOptions extends ServedOptions, ChangeOptions {}

interface ApproveOptions extends ServedOptions {
  readonly da?: readonly number[];
}

function seats(text: string, before: readonly number[] = []): number[] {
  return [...before, whole(0)(text)];
}

const NOTES = `A version comes into force when a quorum of the aggregators' operators has approved the same file and a quorum of
the version before has voted. Aggregators keep the number with which they joined. What began under a version ends under
it: who is removed serves until the blocks of its epochs are in.
On Fabric an aggregator's organisation joins the network first (npm run fabric -- add) and leaves it last (remove).`;

const SERVED = `With --config FILE, the configuration of a service that runs on this machine, it is that service which is asked, by its
operator's door. Each organisation makes its own keys (params key), and asks its own service alone; the proposal goes
from one to the next as a file: who has a new key proves it (params prove), aggregators' operators approve.`;

/** `veilgrid params show|propose|prove|approve|key`: members and keys, by versions of the parameter set. */
export function addParams(parent: Command): void {
  const params = parent.command("params").description("rotate keys, add and remove aggregators, change values");
  addPlaceOf(params.command("show"), "service")
    .description("show the version in force, its members, and what operators approved")
    .addHelpText(
      "after",
      examples(["veilgrid params show --out my-run", "veilgrid params show --config da.yaml"], SERVED),
    )
    .action((options: ServedOptions) => show(options));
  addPlaceOf(params.command("propose").argument("<file>", "where the proposal is written"), "service")
    .description("make the next version: new keys with their proofs of possession, other aggregators, other values")
    .option("--rotate <party>", "a new key for da/NUMBER, cc or kgcbp; may be said again", rotation)
    .option("--add-da [msp=key]", "one more aggregator, with an organisation of its own", joining)
    .option("--remove-da <number>", "without this aggregator; may be said again", leaving)
    .option("--set <name=value>", "another value than before; may be said again", paramsValue)
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid params propose next.hex --rotate da/1 --rotate cc --out my-run",
          "veilgrid params propose next.hex --add-da --remove-da 0 --out my-run",
          "veilgrid params propose next.hex --set closeMonths=1 --set submissionWindow=900 --out my-run",
          "veilgrid params propose next.hex --rotate da/DA1MSP=KEY --remove-da DA0MSP --config da.yaml",
        ],
        `${NOTES}\n\n${SERVED}\nThere aggregators are told by their MSP ids, and new keys by their 64 hex digits.\n\n${VALUES_ARE}`,
      ),
    )
    .action((file: string, options: ProposeOptions) => propose(file, options));
  addProve(params);
  addPlaceOf(params.command("approve").argument("<file>", "the proposal"), "aggregator")
    .description("approve a version as aggregators' operators; with a quorum, run on until it is in force")
    .option("--da <number>", "only this aggregator's operator; may be said again (default: all that run)", seats)
    .addHelpText(
      "after",
      examples(
        ["veilgrid params approve next.hex --out my-run", "veilgrid params approve next.hex --config da.yaml"],
        `${NOTES}\n\n${SERVED}`,
      ),
    )
    .action((file: string, options: ApproveOptions) => approve(file, options));
}

interface FileOptions {
  readonly config: string;
  readonly json?: boolean;
}

function addProve(params: Command): void {
  params
    .command("prove")
    .argument("<file>", "the proposal")
    .description("add the proofs of possession of the new keys that a running service has")
    .requiredOption("--config <file>", "configuration of the running service")
    .addOption(jsonOption())
    .addHelpText("after", examples(["veilgrid params prove next.hex --config cc.yaml"], SERVED))
    .action(async (file: string, { config, json = false }: FileOptions) =>
      (await served()).proveServed(file, config, json),
    );
  params
    .command("key")
    .argument("<file>", "the secret's file")
    .description("make a signing key in a file, unless it is there, and print the public key")
    .addOption(jsonOption())
    .addHelpText("after", examples(["veilgrid params key next-secret"], KEY_NOTES))
    .action(async (file: string, { json = false }: { readonly json?: boolean }) => (await served()).keyIn(file, json));
}

const KEY_NOTES = `The file (mode 0600) stays with the service, which is told of it (otherSecretFiles) and started anew before the version
with the key is approved. The public key goes into the proposal: params propose FILE --rotate da/MSP=KEY.`;

/** Loaded when it is needed: commands on a folder do without it. */
function served(): Promise<typeof ParamsService> {
  return import("./params-service.js");
}

async function show(options: ServedOptions): Promise<void> {
  const { config, json = false } = options;
  if (config !== undefined) return (await served()).showServed(config, json);
  await withRun(options, async (run) => {
    const state = await withWorld(run, (world) => Promise.resolve(paramsState(world)));
    if (json) printJson(state);
    else printState(state);
  });
}

async function propose(file: string, options: ProposeOptions): Promise<void> {
  const { config, json = false } = options;
  if (config !== undefined) return (await served()).proposeServed(file, config, options, json);
  const changes = runChanges(options);
  await withRun(options, async (run) => {
    const leaf = await withWorld(run, (world) => proposeParams(world, changes));
    await writeWhole(file, `${toHex(leaf)}\n`);
    const { version, da } = decodeParamsLeaf(leaf).params;
    if (json) printJson({ file, version, aggregators: da.map(({ msp }) => msp) });
    else line(`${file}: version ${version}, to be approved by the aggregators' operators (veilgrid params approve)`);
  });
}

async function approve(file: string, options: ApproveOptions): Promise<void> {
  const { config, json = false } = options;
  if (config !== undefined) {
    if (options.da !== undefined) throw unfit("--da is of a run: a service is one aggregator's");
    return (await served()).approveServed(file, config, json);
  }
  const leaf = await readProposal(file);
  const { version } = decodeParamsLeaf(leaf).params;
  await withRun(options, async (run) => {
    const state = await withWorld(run, async (world) => {
      const members = world.approvals().filter(({ runs }) => runs);
      for (const seat of options.da ?? members.map((one) => one.seat)) await world.approveParams(seat, leaf);
      const hex = toHex(leaf);
      const approved = world.approvals().filter((one) => one.leaf !== undefined && toHex(one.leaf) === hex);
      const { quorum } = paramsState(world);
      if (approved.length >= quorum) {
        await reach(world, run, new Progress(json), () => Promise.resolve(world.params.version >= version));
      }
      return paramsState(world);
    });
    if (json) printJson(state);
    else printState(state);
  });
}
