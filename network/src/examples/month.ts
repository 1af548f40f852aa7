import {
  BASIS,
  BloomFilter,
  KIND,
  MASK_STATUS,
  NO_PERIOD,
  billsCodec,
  compareBytes,
  encodeLeaf,
  epochCodec,
  maskCodec,
  merkleRoot,
  monthCloses,
  monthOf,
  paramsCodec,
  periodStart,
  periodsInMonth,
  priceCodec,
  setCommitment,
  sha256,
  signBody,
  sum,
  utf8,
  window,
  type Codec,
  type SigKind,
} from "@veilgrid/protocol";
import { ExampleLedger, type Draft, type SealedBlock } from "./ledger.js";
import { SIGNER, exampleParams, knownSecret, type ExampleMembers } from "./members.js";
import {
  exampleMeters,
  masksOf,
  pridList,
  readingLeaves,
  seedLeafOf,
  type ExampleMeter,
  type Place,
} from "./meters.js";

const MONTH = monthOf("2026-03");
const REGION = 1;
const METERS = 5;
/** Micro-units a kWh. */
const PRICE = 250_000n;

/** The transactions of an example consortium, each to be submitted after the one before. */
export interface ExampleMonth {
  /** Version 1 of the parameter set. */
  readonly params: Uint8Array;
  readonly election: Uint8Array;
  /** By what they are of: epoch, readings, masks, prices, bills. */
  readonly blocks: ReadonlyMap<string, SealedBlock>;
}

/** What one issuer signs: the leaf of a block that has no other. */
function issued<T>(ledger: ExampleLedger, kind: SigKind, codec: Codec<T>, body: T): Uint8Array {
  const signer = kind === "price" ? SIGNER.cc : SIGNER.kgcbp;
  const bytes = codec.encode(body);
  return encodeLeaf(bytes, signBody(kind, ledger.consortium, bytes, knownSecret(signer)));
}

function epochDraft(ledger: ExampleLedger, meters: readonly ExampleMeter[], place: Place, ts: bigint): Draft {
  const { params } = ledger;
  const { region, period } = place;
  const prids = pridList(meters, place);
  const { bits } = BloomFilter.of("veilgrid/1/bf1", prids, prids.length, params);
  const seedRoot = merkleRoot(meters.map((meter) => seedLeafOf(meter, place)).sort(compareBytes));
  const epoch = {
    ...{ region, first: period, periods: 1, params: params.version },
    ...{ meters: meters.length, leaves: meters.length, seedRoot },
    entries: [{ bf1: bits, set: setCommitment(region, period, prids) }],
  };
  return { region, kind: KIND.epoch, period, ts, leaves: [issued(ledger, "epoch", epochCodec(params), epoch)] };
}

function ofChain0(kind: number, ts: bigint, leaf: Uint8Array): Draft {
  return { region: 0, kind, period: NO_PERIOD, ts, leaves: [leaf] };
}

/**
 * Five meters in one period, the month's last: epoch, readings, masks, price, and a bill for one of them. Everything is
 * small enough for a command line, the same each time, and signed with keys that everybody can compute.
 */
export async function exampleMonth(members: ExampleMembers): Promise<ExampleMonth> {
  const params = exampleParams(members);
  const ledger = await ExampleLedger.setUp(params);
  const election = await ledger.elect();
  const { consortium } = ledger;
  const period = { month: MONTH, k: periodsInMonth(MONTH, params.periodSeconds) - 1 };
  const place = { consortium, region: REGION, period };
  const meters = exampleMeters(METERS);
  const blocks = new Map<string, SealedBlock>();
  const commit = async (name: string, draft: Draft): Promise<void> => {
    blocks.set(name, await ledger.commit(draft));
  };

  const start = BigInt(periodStart(period, params.periodSeconds));
  await commit("epoch", epochDraft(ledger, meters, place, start));
  const closed = BigInt(window(period, params).closes);
  const leaves = readingLeaves(meters, place);
  await commit("readings", { region: REGION, kind: KIND.readings, period, ts: closed, leaves });

  const { cbh } = await ledger.view.head(REGION);
  const front = { region: REGION, period, cbh };
  const mask = { ...front, status: MASK_STATUS.released, z: sum(masksOf(meters, place)), excluded: [] };
  await commit("masks", ofChain0(KIND.masks, closed + 1n, issued(ledger, "mask", maskCodec, mask)));
  const consumption = meters.reduce((total, meter) => total + meter.consumption, 0n);
  const price = { ...front, price: PRICE, basis: BASIS.measured, consumption };
  await commit("prices", ofChain0(KIND.prices, closed + 2n, issued(ledger, "price", priceCodec, price)));

  const over = BigInt(monthCloses(MONTH, params));
  const hash = sha256(utf8("the ciphertext of a bill"));
  const cid = Uint8Array.of(1, 0x55, 0x12, 0x20, ...hash);
  const entry = { bid: (meters[0] as ExampleMeter).bid, revision: 0, cid, hash };
  const bills = { month: MONTH, entries: [entry] };
  const due = over > closed + 3n ? over : closed + 3n;
  await commit("bills", ofChain0(KIND.bills, due, issued(ledger, "bills", billsCodec, bills)));
  return { params: paramsCodec.encode(params), election, blocks };
}
