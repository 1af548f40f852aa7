import { paramsCodec, proveParamsLeaf, type LedgerView } from "@veilgrid/protocol";
import { z } from "zod";
import { doorRequest, type DoorRequests } from "../process/door.js";
import type { Ask } from "../process/door-client.js";

// What the operator of any service asks for versions of the parameter set with: see docs/services.md.

/** The version in force, as a service's own copy of the ledger has it. */
export interface ParamsInForce {
  /** Encoded. */
  readonly params: Uint8Array;
  /** The consortium id, 32 bytes. */
  readonly consortium: Uint8Array;
  /** The leaf that the aggregator's operator approved and that is not committed yet; absent of other roles. */
  readonly approved?: Uint8Array | undefined;
}

/** What versions of the parameter set are to a service. */
export interface ParamsModules {
  /** The signing keys that it has, 32 bytes each: that in force, and those of versions to come. */
  readonly secrets: readonly Uint8Array[];
  readonly view: LedgerView;
  readonly consortium: Uint8Array;
}

/** An aggregator, which has the operator's word. */
export interface Approving {
  /** Errors as Aggregator. */
  approveParams(leaf: Uint8Array): Promise<void>;
  readonly approvedParams: Uint8Array | undefined;
}

/** A leaf is a version's members and a signature for each of them. */
const LONGEST_LEAF = 1_048_576;
const given = z.strictObject({ leaf: z.instanceof(Uint8Array).refine(({ length }) => length <= LONGEST_LEAF) });
const nothing = z.strictObject({});

/** What a service does for versions; `approving` where it is an aggregator's. */
export function paramsRequests({ secrets, view, consortium }: ParamsModules, approving?: Approving): DoorRequests {
  const state = async (): Promise<ParamsInForce> => ({
    params: paramsCodec.encode(await view.currentParams()),
    consortium,
    approved: approving?.approvedParams,
  });
  const common = {
    "params.state": doorRequest(nothing, state),
    "params.prove": doorRequest(given, async ({ leaf }) => ({
      leaf: proveParamsLeaf(consortium, await view.currentParams(), leaf, secrets),
    })),
  };
  if (approving === undefined) return common;
  return {
    ...common,
    "params.approve": doorRequest(given, async ({ leaf }) => {
      await approving.approveParams(leaf);
      return state();
    }),
  };
}

/** The version in force, through a service's door. */
export async function askState(ask: Ask): Promise<ParamsInForce> {
  return (await ask("params.state")) as ParamsInForce;
}

/** A leaf with the proofs of possession that a service can give. @throws VeilgridError as `proveParamsLeaf`. */
export async function askProofs(ask: Ask, leaf: Uint8Array): Promise<Uint8Array> {
  return ((await ask("params.prove", { leaf })) as { readonly leaf: Uint8Array }).leaf;
}

/** Gives an aggregator its operator's word. @throws VeilgridError as Aggregator. */
export async function askApproval(ask: Ask, leaf: Uint8Array): Promise<ParamsInForce> {
  return (await ask("params.approve", { leaf })) as ParamsInForce;
}
