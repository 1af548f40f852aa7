import {
  epochCodec,
  genesisHash,
  genesisHeader,
  headerCodec,
  pridSumFromSecrets,
  readingHash,
  toHex,
  type Bill,
  type Reading,
  type Signed,
} from "../src/index.js";
import { epochBlock, epochOf, pridList, readingsBlock, type Committed } from "./chain.js";
import { consortiumOf, type Input } from "./input.js";
import { meterKeys, sentReadings, type Half, type MeterKeys } from "./meters.js";
import { billOf, caseOf, completeReading, missingOf, releaseOf, type CaseVector, type Missing } from "./settlement.js";

const SAFE = 1n << 53n;

/** "integers of 2^53 and more are decimal strings" */
function integer(value: bigint): number | string {
  return value < SAFE && value > -SAFE ? Number(value) : value.toString();
}

function committedJson({ headerBytes, cbh, scbh, block, proposal, certificate }: Committed): Record<string, string> {
  const parts = { headerBytes, cbh, scbh, block, proposal, certificate };
  return Object.fromEntries(Object.entries(parts).map(([name, bytes]) => [name, toHex(bytes)]));
}

function meterJson({ seeds, halves }: MeterKeys): unknown {
  return {
    seeds: [seeds.s0, seeds.s1, seeds.r0, seeds.r1].map(toHex),
    run: halves.map((pair) => ({
      prid: pair.map(({ prid }) => toHex(prid)),
      mask: pair.map(({ mask }) => mask.toString()),
    })),
  };
}

function readingJson({ bytes, sig }: Signed<Reading>): unknown {
  return { body: toHex(bytes), sig: toHex(sig), readingHash: toHex(readingHash(bytes, sig)) };
}

function billJson({ costs, tierCosts, lines, total }: Bill, readings: readonly (bigint | undefined)[]): unknown {
  return {
    consumptions: readings.map((c) => (c === undefined ? null : integer(c))),
    costsNano: costs.map(integer),
    tierCostsNano: (tierCosts ?? []).map(integer),
    lines: lines.map(({ name, nano, shown }) => ({ name, nano: integer(nano), shown: integer(shown) })),
    total: integer(total),
  };
}

function missingJson({ estimated, deltaNano }: Missing): unknown {
  const { consumption, total } = estimated;
  return { consumptions: consumption.map(integer), total: integer(total), deltaNano: integer(deltaNano) };
}

function caseJson(one: CaseVector): Record<string, string> {
  return Object.fromEntries(Object.entries(one).map(([name, bytes]: [string, Uint8Array]) => [name, toHex(bytes)]));
}

/** T of the k-th period: 33 bytes. */
function pridSumOf(meters: readonly MeterKeys[], k: number): Uint8Array {
  const secrets = meters.flatMap(({ halves }) => (halves[k] as readonly Half[]).map(({ secret }) => secret));
  return pridSumFromSecrets(secrets) as Uint8Array;
}

/** Everything that follows from input.json: what from-input.json holds. */
export function fromInput(input: Input): unknown {
  const consortium = consortiumOf(input);
  const { id, params, paramsBytes } = consortium;
  const meters = meterKeys(input, consortium);
  const run = Array.from({ length: input.periods }, (_, k) => k);
  const pridLists = run.map((k) => pridList(meters, k));
  const epoch = epochOf(input, consortium, meters);
  const first = epochBlock(input, consortium, epoch);
  const sent = run.map((k) => meters.map((keys, i) => sentReadings(input, consortium, keys, i, k)));
  const blocks = [first];
  for (const [k, readings] of sent.entries()) {
    const { cbh } = blocks[k] as Committed;
    blocks.push(readingsBlock(input, consortium, k, readings.flat(), (pridLists[k] as Uint8Array[]).length, cbh));
  }
  const releases = sent.map((readings, k) => releaseOf(input, blocks[k + 1] as Committed, meters, k, readings));
  const complete = meters.map(({ halves }, i) =>
    sent.map((all, k) => completeReading(input, halves[k] as readonly [Half, Half], all[i] as Signed<Reading>[])),
  );
  const bills = complete.map((readings) => billJson(billOf(input, readings), readings));
  return {
    consortium: toHex(id),
    paramsBytes: toHex(paramsBytes),
    meters: meters.map(meterJson),
    epochBytes: toHex(epochCodec(params).encode(epoch)),
    seedRoot: toHex(epoch.seedRoot),
    pridLists: pridLists.map((list) => list.map(toHex)),
    T: run.map((k) => toHex(pridSumOf(meters, k))),
    genesis: toHex(headerCodec.encode(genesisHeader(id, input.region))),
    genesisHash: toHex(genesisHash(id, input.region)),
    epochBlock: committedJson(first),
    readingsBlocks: blocks.slice(1).map(committedJson),
    readings: sent.map((period) => period.map((readings) => readings.map(readingJson))),
    masks: releases.map(({ maskBytes, sumOfCounted }) => ({
      maskBytes: toHex(maskBytes),
      sumOfCounted: sumOfCounted.toString(),
    })),
    verdicts: sent.map((readings, k) => caseJson(caseOf(input, consortium.kgcbpSecret, meters, k, readings))),
    bills,
    missing: complete.map((readings, i) => missingJson(missingOf(input, i, readings))),
  };
}
