import {
  BloomFilter,
  MerkleTree,
  caseRef,
  compareBytes,
  deriveSeeds,
  equalBytes,
  findReading,
  periodKeys,
  samePeriod,
  seedLeafHash,
  splitReading,
  toHex,
  type BillLedger,
  type OwnLeaf,
  type Period,
  type PeriodFacts,
  type PeriodKeys,
  type Seeds,
  type Verdict,
} from "../src/index.js";

/** 29 March 2026, 00:00Z: k = 1344 in half-hours. */
export const MONTH = 24314;
export const FIRST = 1344;
export const MAX_WH = 50_000n;

export const consortium = new Uint8Array(32).fill(0xc0);
export const bid = new Uint8Array(16).fill(0xb1);

/** What happens to one of the customer's periods on its way to the ledger. */
export interface Event {
  /** Signed Wh. */
  readonly c?: bigint;
  /** Micro-units per kWh. */
  readonly price?: bigint;
  /** How many halves arrive, and whether the second one twice. */
  readonly halves?: "both" | "none" | "first" | "second twice";
  /** No epoch covers the period: its price is a no-epoch one. */
  readonly noEpoch?: true;
  /** Nothing is released: too few meters. */
  readonly tooFew?: true;
  /** The meter is eliminated: its PRIDs are in no filter. */
  readonly eliminated?: true;
  /** The verdict on the period's case, with `caseIdOf(k)`. */
  readonly verdict?: Partial<Verdict>;
  /** The price is not yet on the ledger. */
  readonly noPrice?: true;
}

/** A run of periods under one leaf. */
export interface Run {
  readonly region: number;
  readonly number: bigint;
  readonly key: number;
  readonly events: readonly Event[];
}

/** A customer's part of a ledger, made with the real keys, splits, filters and trees. */
export interface World {
  readonly ledger: BillLedger;
  readonly leaves: readonly OwnLeaf[];
  readonly readings: readonly (bigint | undefined)[];
  readonly prices: readonly (bigint | undefined)[];
}

/** Leaves of other customers, so that paths have hashes. */
const others = Array.from({ length: 4 }, (_, i) => new Uint8Array(32).fill(0x20 * i + 7));

/** PRIDs of somebody else. */
const STRANGERS = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];

export const CASE_KEY = new Uint8Array(32).fill(0xca);

export function caseIdOf(k: number): Uint8Array {
  return new Uint8Array(16).fill(k % 256);
}

function verdictOf(region: number, k: number, counts: Partial<Verdict>): Verdict {
  const none = { silent: 0, orphan: 0, implausible: 0, conflict: 0 };
  return { region, period: { month: MONTH, k }, ...none, ...counts, ref: caseRef(CASE_KEY, caseIdOf(k)) };
}

function pridsOf(event: Event, keys: PeriodKeys): Map<string, bigint[]> {
  const { rc, rc2 } = splitReading(event.c ?? 0n, keys.z, keys.z2);
  const arrived = {
    both: [[rc], [rc2]],
    none: [[], []],
    first: [[rc], []],
    "second twice": [[rc], [rc2, rc2 + 7n]],
  } as const;
  const [first, second] = arrived[event.halves ?? "both"];
  return new Map([
    [toHex(keys.prid), [...first]],
    [toHex(keys.prid2), [...second]],
  ]);
}

function factsOf(event: Event, keys: PeriodKeys): PeriodFacts {
  const table = pridsOf(event, keys);
  const listed = event.eliminated ? STRANGERS : [keys.prid, keys.prid2];
  const filter = BloomFilter.of("veilgrid/1/bf1", listed, 2, { bitsPerElement: 29, indices: 20 });
  const facts: PeriodFacts = {
    maxWhPerPeriod: MAX_WH,
    price: event.noPrice ? undefined : (event.price ?? 250_000n),
    readings: (prid) => table.get(toHex(prid)) ?? [],
    pridListed: (prid) => filter.has(prid),
  };
  if (event.tooFew) return facts;
  const excluded = findReading(keys, facts).state === "complete" ? new Set<string>() : new Set(table.keys());
  return { ...facts, excluded: (prid) => excluded.has(toHex(prid)) };
}

function gapPrice({ noEpoch, noPrice, price }: Event): bigint | undefined {
  return noEpoch && !noPrice ? (price ?? 250_000n) : undefined;
}

/** The ledger's price of a period, whether an epoch covers it or not. */
function priceOf(gap: bigint | undefined, facts: PeriodFacts | undefined): bigint | undefined {
  return gap ?? facts?.price;
}

/** The world of one customer whose runs follow each other from FIRST on. */
export function worldOf(runs: readonly Run[]): World {
  const periods = new Map<string, PeriodFacts>();
  /** No-epoch prices. */
  const gaps = new Map<string, bigint | undefined>();
  const verdicts: Verdict[] = [];
  const epochs = new Map<string, { first: Period; leaves: number; seedRoot: Uint8Array }>();
  const leaves: OwnLeaf[] = [];
  const readings: (bigint | undefined)[] = [];
  const prices: (bigint | undefined)[] = [];
  let first = FIRST;
  for (const { region, number, key, events } of runs) {
    const seeds: Seeds = deriveSeeds(new Uint8Array(32).fill(key), consortium, MONTH);
    const own = seedLeafHash(bid, { month: MONTH, k: first }, seeds);
    const hashes = [...others, own].sort(compareBytes);
    const tree = new MerkleTree(hashes);
    const index = hashes.indexOf(own);
    epochs.set(`${region}/${number}`, {
      first: { month: MONTH, k: first },
      leaves: hashes.length,
      seedRoot: tree.root,
    });
    leaves.push({ region, number, first, seeds, path: { index, count: hashes.length, hashes: tree.path(index) } });
    for (const [i, keys] of periodKeys(seeds, first, events.length).entries()) {
      const event = events[i] as Event;
      const facts = event.noEpoch ? undefined : factsOf(event, keys);
      if (facts !== undefined) periods.set(`${region}/${first + i}`, facts);
      gaps.set(`${region}/${first + i}`, gapPrice(event));
      if (event.verdict) verdicts.push(verdictOf(region, first + i, event.verdict));
      const finding = facts && findReading(keys, facts);
      readings.push(finding?.state === "complete" ? finding.consumption : undefined);
      prices.push(facts?.price);
    }
    first += events.length;
  }
  const ledger: BillLedger = {
    consortium,
    epoch: (region, number) => Promise.resolve(epochs.get(`${region}/${number}`)),
    verdict: (region, period, ref) =>
      Promise.resolve(
        verdicts.find((one) => one.region === region && samePeriod(one.period, period) && equalBytes(one.ref, ref)),
      ),
    price: (region, { month, k }) => {
      const price = priceOf(gaps.get(`${region}/${k}`), periods.get(`${region}/${k}`));
      return Promise.resolve(month === MONTH ? price : undefined);
    },
    period: (region, { month, k }) => Promise.resolve(month === MONTH ? periods.get(`${region}/${k}`) : undefined),
  };
  return { ledger, leaves, readings, prices };
}
