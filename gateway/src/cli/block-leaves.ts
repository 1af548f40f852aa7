import {
  billsCodec,
  closeCodec,
  decodeLeaf,
  decodeParamsLeaf,
  decodeReadingLeaf,
  epochHead,
  KIND,
  maskCodec,
  monthName,
  priceCodec,
  toHex,
  verdictCodec,
  type Kind,
} from "@veilgrid/protocol";
import { basisName } from "../bill/results.js";
import { cidText } from "../ipfs/address.js";
import { startOf } from "./output.js";

/** What a leaf says, by the names of its fields. */
export type LeafFacts = Readonly<Record<string, string | number | boolean | readonly unknown[]>>;

/**
 * Says what a committed block's leaf holds. Readings, masks and verdicts name PRIDs or cases, bills name BIDs; no kind
 * has both.
 */
export function leafFacts(kind: Kind, leaf: Uint8Array, periodSeconds: number): LeafFacts {
  if (kind === KIND.readings) return readingFacts(leaf);
  if (kind === KIND.params) return paramsFacts(leaf);
  return BODIES[kind](decodeLeaf(leaf).body, periodSeconds);
}

function readingFacts(leaf: Uint8Array): LeafFacts {
  const { prid, rc } = decodeReadingLeaf(leaf);
  return { prid: toHex(prid), rc: rc.toString() };
}

function paramsFacts(leaf: Uint8Array): LeafFacts {
  const { params } = decodeParamsLeaf(leaf);
  return { version: params.version, da: params.da.map(({ msp }) => msp), cc: params.cc.msp, kgcbp: params.kgcbp.msp };
}

const BODIES: Readonly<Record<Exclude<Kind, 1 | 3>, (body: Uint8Array, periodSeconds: number) => LeafFacts>> = {
  [KIND.epoch]: (body, seconds) => {
    const { region, first, periods, params, meters, leaves, seedRoot } = epochHead(body);
    return { region, first: startOf(first, seconds), periods, params, meters, leaves, seedRoot: toHex(seedRoot) };
  },
  [KIND.masks]: (body, seconds) => {
    const { region, period, status, z, excluded } = maskCodec.decode(body);
    const what = status === 1 ? "released" : "too-few";
    return { region, period: startOf(period, seconds), status: what, z: z.toString(), excluded: excluded.map(toHex) };
  },
  [KIND.prices]: (body, seconds) => {
    const { region, period, price, basis, consumption } = priceCodec.decode(body);
    return {
      region,
      period: startOf(period, seconds),
      priceMicroPerKwh: price.toString(),
      basis: basisName(basis),
      consumptionWh: consumption.toString(),
    };
  },
  [KIND.bills]: (body) => {
    const { month, entries } = billsCodec.decode(body);
    const listed = entries.map(({ bid, revision, cid, hash }) => ({
      bid: toHex(bid),
      revision,
      cid: cidText(cid),
      hash: toHex(hash),
    }));
    return { month: monthName(month), entries: listed };
  },
  [KIND.verdicts]: (body, seconds) => {
    const { region, period, silent, orphan, implausible, conflict, ref } = verdictCodec.decode(body);
    return { region, period: startOf(period, seconds), silent, orphan, implausible, conflict, ref: toHex(ref) };
  },
  [KIND.close]: (body) => {
    const { region, month } = closeCodec.decode(body);
    return { region, month: monthName(month) };
  },
};
