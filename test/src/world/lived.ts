import {
  decodeReadingLeaf,
  isVeilgridError,
  periodEnd,
  periodRange,
  READING_BYTES,
  readingCodec,
  readingLeaf,
  toHex,
  utf8,
  verifyReceiptOf,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import { decodeResponse, MemoryStore, replay, type Packet, type Run, type World } from "@veilgrid/gateway";
import { MeterKeys } from "./meter-keys.js";
import { Needles } from "./needles.js";
import { advance, beginRun, concluded, type Finished } from "./small-run.js";
import { fileOf, type SmallWorld } from "./small-world.js";
import { wiretap } from "./wiretap.js";

/** A readings block on the ledger: the hex of its leaves. */
export interface CommittedReadings {
  readonly period: Period;
  readonly leaves: readonly string[];
}

/** A small world that was lived through to its bills, and what was seen of it. */
export interface Lived extends Finished {
  readonly blocks: readonly CommittedReadings[];
  /** The readings for which a meter got a valid receipt: their leaves in hex. */
  readonly receipted: readonly { readonly period: Period; readonly leaf: string }[];
  /** Log lines that name a BID beside a PRID. */
  readonly telling: readonly string[];
  /** Keys whose value at the peer is not the one to which the ledger's blocks lead. */
  readonly differing: readonly string[];
}

/** Lives through a small world: faults, lost halves and the death of all processes included. */
export async function live(small: SmallWorld): Promise<Lived> {
  const run = await beginRun(fileOf(small), {
    regions: 1,
    completeness: small.completeness,
    release: small.release,
    seed: `small world ${small.seed}`,
    faults: small.fault === undefined ? [] : [small.fault],
  });
  const lines: string[] = [];
  const packets: Packet[] = [];
  const { first, periodSeconds } = run.record.input;
  const opens = periodEnd(first, periodSeconds);
  const lives = [...[...small.deaths].sort((a, b) => a - b), Infinity];
  for (const death of lives) {
    const world = await run.world({ log: (_, event, facts) => lines.push(`${event} ${JSON.stringify(facts ?? {})}`) });
    try {
      await lose(run, world, small);
      const seen = wiretap(world.network, ["reading"]);
      await advance(world, undefined, () => world.clock.now() >= opens + death * 1000);
      packets.push(...seen);
      if (death === Infinity) return await witness(run, world, { lines, packets });
    } finally {
      await world.close();
    }
  }
  throw new Error("nobody lives for ever");
}

/** Loses every packet with one of the lost halves, and of the others one now and then. */
async function lose(run: Run, { network, view }: World, { lost, lossy }: SmallWorld): Promise<void> {
  const keys = new MeterKeys(run, await view.consortium());
  const periods = periodsOf(run);
  const prids = new Set(
    lost.map((name) => {
      const [home, n, half] = name.split("/").map(Number) as [number, number, 0 | 1];
      return toHex(keys.halves(home, periods[n] as Period)[half].prid);
    }),
  );
  let others = 0;
  network.drop(({ method, direction, bytes }) => {
    if (method === "reading") return direction === "request" && prids.has(pridOf(bytes));
    others += 1;
    return lossy !== undefined && others % lossy === 0;
  });
}

function periodsOf(run: Run): Period[] {
  const { first, periods, periodSeconds } = run.record.input;
  return [...periodRange(first, periods, periodSeconds)];
}

function pridOf(signed: Uint8Array): string {
  return toHex(readingCodec.decode(signed.subarray(0, READING_BYTES)).prid);
}

async function witness(
  run: Run,
  world: World,
  { lines, packets }: { lines: readonly string[]; packets: readonly Packet[] },
): Promise<Lived> {
  const { view } = world;
  const [consortium, params] = [await view.consortium(), await view.currentParams()];
  const finished = await concluded(run, world);
  return {
    ...finished,
    blocks: await committedReadings(run, world),
    receipted: receiptedOf(consortium, params, packets),
    telling: tellingLines(new MeterKeys(run, consortium), run, lines),
    differing: await differingKeys(world),
  };
}

async function committedReadings(run: Run, { view }: World): Promise<CommittedReadings[]> {
  const found: CommittedReadings[] = [];
  for (const period of periodsOf(run)) {
    const readings = await view.readings(1, period);
    const committed = readings === undefined ? undefined : await view.block(1, readings.number);
    if (committed !== undefined) found.push({ period, leaves: committed.block.leaves.map(toHex) });
  }
  return found;
}

/** Which of the readings that a meter showed to an aggregator its receipt is for. */
function receiptedOf(consortium: Uint8Array, params: Params, packets: readonly Packet[]): Lived["receipted"] {
  const asked = packets.filter(({ direction }) => direction === "request");
  return packets
    .filter(({ direction, bytes }) => direction === "response" && decodeResponse(bytes).tag === "accepted")
    .flatMap(({ from, to, bytes }) => {
      const shown = asked.filter((request) => request.from === to && request.to === from);
      const signed = shown.find((request) => proves(consortium, params, bytes.subarray(1), request.bytes));
      if (signed === undefined) return [];
      const { period } = readingCodec.decode(signed.bytes.subarray(0, READING_BYTES));
      return [{ period, leaf: toHex(readingLeaf(signed.bytes)) }];
    });
}

function proves(consortium: Uint8Array, params: Params, receipt: Uint8Array, signed: Uint8Array): boolean {
  try {
    verifyReceiptOf(consortium, params, receipt, signed);
    return true;
  } catch (error) {
    if (isVeilgridError(error)) return false;
    throw error;
  }
}

function tellingLines(keys: MeterKeys, run: Run, lines: readonly string[]): string[] {
  const { homes } = run.keys;
  const bids = new Needles(homes.map(({ bid }) => bid));
  const halves = periodsOf(run).flatMap((period) => homes.flatMap((_, i) => keys.halves(i, period)));
  const prids = new Needles(halves.map(({ prid }) => prid));
  return lines.filter((line) => bids.in(utf8(line)) > 0 && prids.in(utf8(line)) > 0);
}

async function differingKeys({ ledger }: World): Promise<string[]> {
  const replayed = await replay(ledger.blocks(0n), new MemoryStore());
  const keys = new Set<string>();
  for await (const { transactions } of ledger.blocks(0n)) {
    for (const { writes } of transactions) for (const { key } of writes) keys.add(key);
  }
  const differing: string[] = [];
  for (const key of keys) {
    const [peer, blocks] = [await ledger.state.get(key), await replayed.get(key)];
    if (toHex(peer ?? new Uint8Array()) !== toHex(blocks ?? new Uint8Array())) differing.push(key);
  }
  return differing;
}

/** The PRID of a leaf in hex. */
export function pridOfLeaf(leaf: string): string {
  return toHex(decodeReadingLeaf(Buffer.from(leaf, "hex")).prid);
}
