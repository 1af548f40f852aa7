import {
  composeParamsLeaf,
  isVeilgridError,
  nextParams,
  provePossession,
  schnorr,
  type Params,
  type ParamsChange,
} from "@veilgrid/protocol";
import { laterSecretOf, type Consortium } from "./consortium.js";
import type { Draw } from "./draw.js";
import type { Seat } from "./seat.js";
import type { Timeline } from "./timeline.js";

/** How often an operator whose aggregator is down tries again, milliseconds. */
const AGAIN_MS = 20_000;

interface Change {
  readonly what: ParamsChange;
  /** The new key's, if there is one. */
  readonly secret?: Uint8Array;
}

function changeOf(draw: Draw, { da }: Params): Change {
  const rotated = (msp: string, changed: (key: Uint8Array) => ParamsChange): Change => {
    const secret = laterSecretOf(msp);
    return { what: changed(schnorr.publicKey(secret)), secret };
  };
  const { msp } = draw.pick(da);
  return draw.pick<Change>([
    { what: { what: "set", values: { verdictDays: 9, closeMonths: 3 } } },
    rotated(msp, (key) => ({ what: "rotate-da", msp, key })),
    rotated("Cc", (key) => ({ what: "rotate-cc", key })),
    rotated("Kgcbp", (key) => ({ what: "rotate-kgcbp", key })),
  ]);
}

/** The leaf of the next parameter set, as the operators agreed on it. */
function leafOf(
  { id, params }: Consortium,
  { what, secret }: Change,
): { readonly leaf: Uint8Array; readonly next: Params } {
  const next = nextParams(params, [what]);
  const proofs = secret === undefined ? [] : [provePossession(id, next, secret)];
  return { leaf: composeParamsLeaf(id, params, next, proofs), next };
}

/** An aggregator as its operator reaches it. */
interface Approving {
  approveParams(leaf: Uint8Array): Promise<void>;
}

function isApproving(role: object | undefined): role is Approving {
  return role !== undefined && "approveParams" in role;
}

/**
 * The aggregators' operators, who at some time of the run approve the next parameter set, each at a time of its own.
 * @returns the set.
 */
export function approveNext(
  consortium: Consortium,
  modules: { readonly timeline: Timeline; readonly draw: Draw; readonly das: readonly Seat[] },
  [from, until]: readonly [number, number],
): Params {
  const { timeline, draw, das } = modules;
  const { leaf, next } = leafOf(consortium, changeOf(draw, consortium.params));
  const begin = from + draw.below(until - from);
  for (const seat of das) {
    const approve = async (): Promise<void> => {
      const { life, role } = seat;
      // Who is hostile has nothing to approve.
      if (role !== undefined && !isApproving(role)) return;
      const said = { isDone: false };
      if (life !== undefined && role !== undefined) {
        await life.run(async () => {
          said.isDone = await approved(role, leaf);
        });
      }
      if (!said.isDone) timeline.at(timeline.now() + AGAIN_MS, `operator of ${seat.name}`, approve);
    };
    timeline.at(begin + draw.below(60_000), `operator of ${seat.name}`, approve);
  }
  return next;
}

/** True where there is nothing left to do: it is approved, or in force already. */
async function approved(role: Approving, leaf: Uint8Array): Promise<boolean> {
  try {
    await role.approveParams(leaf);
    return true;
  } catch (error) {
    if (!isVeilgridError(error)) throw error;
    return !error.retry;
  }
}
