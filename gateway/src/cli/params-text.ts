import { VeilgridError, decodeParamsLeaf, fromHex, quorum, toHex } from "@veilgrid/protocol";
import { readWhole } from "../store/files.js";
import { seatOfMsp } from "../world/consortium.js";
import type { World } from "../world/world.js";
import { printFacts, printTable } from "./output.js";

/** A version as a file hands it from operator to operator: the leaf of its block, in hex. */
export async function readProposal(path: string): Promise<Uint8Array> {
  const text = (await readWhole(path))?.trim() ?? "";
  if (!/^([0-9a-f]{2})+$/.test(text)) {
    throw new VeilgridError("bad-proposal", `${path} is no file that "veilgrid params propose" wrote`, {
      facts: { file: path },
      blame: "caller",
    });
  }
  return fromHex(text);
}

/** What is in force, who takes part, and what operators approved. */
export interface ParamsState {
  readonly version: number;
  readonly quorum: number;
  /** What else the version says: numbers and modes by their names. */
  readonly values: Readonly<Record<string, number | string>>;
  readonly members: readonly { readonly role: string; readonly msp: string; readonly key: string }[];
  readonly aggregators: readonly {
    readonly da: number | string;
    readonly state: string;
    readonly approved: number | null;
  }[];
}

export function paramsState(world: World): ParamsState {
  const { version, channel, da, cc, kgcbp, ...values } = world.params;
  const members = [
    ...da.map((one) => ({ role: `da/${seatOfMsp(one.msp)}`, ...one })),
    { role: "cc", ...cc },
    { role: "kgcbp", ...kgcbp },
  ];
  return {
    version,
    quorum: quorum(da.length),
    values: { channel, ...values },
    members: members.map(({ role, msp, key }) => ({ role, msp, key: toHex(key) })),
    aggregators: world.approvals().map(({ seat, runs, leaf }) => ({
      da: seat,
      state: stateOf(
        runs,
        da.some(({ msp }) => seatOfMsp(msp) === seat),
      ),
      approved: pendingVersion(leaf, version),
    })),
  };
}

/** What was committed a moment ago is no approval any more, although the aggregator is yet to hear of it. */
function pendingVersion(leaf: Uint8Array | undefined, inForce: number): number | null {
  const version = leaf === undefined ? 0 : decodeParamsLeaf(leaf).params.version;
  return version > inForce ? version : null;
}

function stateOf(runs: boolean, isMember: boolean): string {
  if (isMember) return runs ? "member" : "member, down";
  return runs ? "no member" : "retired";
}

export function printState({ version, quorum: needed, values, members, aggregators }: ParamsState): void {
  printFacts([
    ["version in force", String(version)],
    ["quorum", `${needed} of ${members.length - 2}`],
  ]);
  printTable(
    ["role", "organisation", "key"],
    members.map(({ role, msp, key }) => [role, msp, key]),
    [],
  );
  if (aggregators.length > 0) printApprovals(aggregators);
  printFacts(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

function printApprovals(aggregators: ParamsState["aggregators"]): void {
  printTable(
    ["da", "state", "approved version"],
    aggregators.map(({ da, state, approved }) => [String(da), state, approved === null ? "" : String(approved)]),
    [0, 2],
  );
}
