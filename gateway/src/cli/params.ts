import { decodeParamsLeaf, toHex, type ParamsValues } from "@veilgrid/protocol";
import { InvalidArgumentError, type Command } from "commander";
import { writeWhole } from "../store/files.js";
import type { Party } from "../world/seats.js";
import { proposeParams, type RunChange } from "../world/successor.js";
import { addStageOptions, type StageOptions } from "./ledger-options.js";
import { examples, whole } from "./options.js";
import { Progress, line, printJson } from "./output.js";
import { paramsValue, VALUES_ARE } from "./params-value.js";
import { paramsState, printState, readProposal } from "./params-text.js";
import { reach, withRun, withWorld } from "./stages.js";

interface ProposeOptions extends StageOptions {
  readonly rotate?: readonly Party[];
  readonly addDa?: boolean;
  readonly removeDa?: readonly number[];
  readonly set?: ParamsValues;
}

interface ApproveOptions extends StageOptions {
  readonly da?: readonly number[];
}

function party(text: string, before: readonly Party[] = []): Party[] {
  if (text === "cc" || text === "kgcbp") return [...before, text];
  const seat = /^da\/(\d+)$/.exec(text)?.[1];
  if (seat === undefined) throw new InvalidArgumentError("It must be da/NUMBER, cc or kgcbp.");
  return [...before, Number(seat)];
}

function seats(text: string, before: readonly number[] = []): number[] {
  return [...before, whole(0)(text)];
}

const NOTES = `A version comes into force when a quorum of the aggregators' operators has approved the same file and a quorum of
the version before has voted. Aggregators keep the number with which they joined. What began under a version ends under
it: who is removed serves until the blocks of its epochs are in.
On Fabric an aggregator's organisation joins the network first (npm run fabric -- add) and leaves it last (remove).`;

/** `veilgrid params show|propose|approve`: members and keys, by versions of the parameter set. */
export function addParams(parent: Command): void {
  const params = parent.command("params").description("rotate keys, add and remove aggregators, change values");
  addStageOptions(params.command("show"))
    .description("show the version in force, its members, and what operators approved")
    .addHelpText("after", examples(["veilgrid params show --out my-run"]))
    .action((options: StageOptions) => show(options));
  addStageOptions(params.command("propose").argument("<file>", "where the proposal is written"))
    .description("make the next version: new keys with their proofs of possession, other aggregators, other values")
    .option("--rotate <party>", "a new key for da/NUMBER, cc or kgcbp; may be said again", party)
    .option("--add-da", "one more aggregator, with an organisation of its own")
    .option("--remove-da <number>", "without this aggregator; may be said again", seats)
    .option("--set <name=value>", "another value than before; may be said again", paramsValue)
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid params propose next.hex --rotate da/1 --rotate cc --out my-run",
          "veilgrid params propose next.hex --add-da --remove-da 0 --out my-run",
          "veilgrid params propose next.hex --set closeMonths=1 --set submissionWindow=900 --out my-run",
        ],
        `${NOTES}\n\n${VALUES_ARE}`,
      ),
    )
    .action((file: string, options: ProposeOptions) => propose(file, options));
  addStageOptions(params.command("approve").argument("<file>", "the proposal"))
    .description("approve a version as aggregators' operators; with a quorum, run on until it is in force")
    .option("--da <number>", "only this aggregator's operator; may be said again (default: all that run)", seats)
    .addHelpText("after", examples(["veilgrid params approve next.hex --out my-run"], NOTES))
    .action((file: string, options: ApproveOptions) => approve(file, options));
}

async function show(options: StageOptions): Promise<void> {
  await withRun(options, async (run) => {
    const state = await withWorld(run, (world) => Promise.resolve(paramsState(world)));
    if (options.json === true) printJson(state);
    else printState(state);
  });
}

function changesOf({ rotate = [], addDa, removeDa = [], set }: ProposeOptions): RunChange[] {
  return [
    ...rotate.map((one) => ({ what: "rotate", party: one }) as const),
    ...removeDa.map((seat) => ({ what: "remove-da", seat }) as const),
    ...(addDa === true ? [{ what: "add-da" } as const] : []),
    ...(set === undefined ? [] : [{ what: "set", values: set } as const]),
  ];
}

async function propose(file: string, options: ProposeOptions): Promise<void> {
  await withRun(options, async (run) => {
    const leaf = await withWorld(run, (world) => proposeParams(world, changesOf(options)));
    await writeWhole(file, `${toHex(leaf)}\n`);
    const { version, da } = decodeParamsLeaf(leaf).params;
    if (options.json === true) printJson({ file, version, aggregators: da.map(({ msp }) => msp) });
    else line(`${file}: version ${version}, to be approved by the aggregators' operators (veilgrid params approve)`);
  });
}

async function approve(file: string, options: ApproveOptions): Promise<void> {
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
        await reach(world, run, new Progress(options.json === true), () =>
          Promise.resolve(world.params.version >= version),
        );
      }
      return paramsState(world);
    });
    if (options.json === true) printJson(state);
    else printState(state);
  });
}
