import { Writer, equalBytes } from "../bytes.js";
import { H1 } from "../hash.js";
import { merkleRoot } from "../merkle.js";
import type { Header } from "./header.js";
import { NO_PERIOD, samePeriod } from "./period.js";
import { isZero } from "./vectors.js";

function genesisPrev(consortium: Uint8Array, region: number): Uint8Array {
  return H1("veilgrid/1/genesis", new Writer().fixed(consortium, 32).u16(region).bytes());
}

/**
 * "Genesis is a header only: v = 1, consortium, Region, kind 0, number 0, prev = H1("veilgrid/1/genesis", consortium ‖
 * Region), root of the empty tree, all else 0". `region` 0 is the consortium's own chain.
 */
export function genesisHeader(consortium: Uint8Array, region: number): Header {
  return {
    consortium,
    region,
    kind: 0,
    number: 0n,
    prev: genesisPrev(consortium, region),
    root: merkleRoot([]),
    count: 0,
    params: 0,
    term: 0n,
    round: 0,
    period: NO_PERIOD,
    aggFault: false,
    leader: new Uint8Array(32),
    ts: 0n,
  };
}

/** Whether a header of kind 0 is the genesis of its consortium and region. */
export function isGenesis(header: Header): boolean {
  const counters = [header.number, header.term, header.ts, header.count, header.params, header.round];
  if (counters.some((value) => BigInt(value) !== 0n) || header.aggFault) return false;
  if (!samePeriod(header.period, NO_PERIOD) || !isZero(header.leader)) return false;
  const { prev, root } = genesisHeader(header.consortium, header.region);
  return equalBytes(header.prev, prev) && equalBytes(header.root, root);
}
