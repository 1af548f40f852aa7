import type { Channel } from "./channel.js";
import { hasReadings, type Recorded } from "./recorded.js";

/** What a channel took, and in what time. */
export interface Replayed {
  /** Milliseconds from a readings block's submission to its commit, one after the other. */
  readonly latencies: readonly number[];
  /** Readings blocks a second with one of each region under way at a time. */
  readonly throughput: number;
  /** Bytes that everything together added to a peer's blocks. */
  readonly bytes: number;
}

async function submit({ ledger }: Channel, { msp, call }: Recorded): Promise<number> {
  const start = performance.now();
  await ledger.as({ msp }).submit(call);
  return performance.now() - start;
}

/** Splits a chain after half of its readings blocks. */
function halves(chain: readonly Recorded[]): readonly [Recorded[], Recorded[]] {
  const readings = chain.filter(hasReadings);
  const middle = readings[Math.floor(readings.length / 2)];
  const at = middle === undefined ? chain.length : chain.indexOf(middle);
  return [chain.slice(0, at), chain.slice(at)];
}

/** The chains of the regions; chain 0 leans on them, and none of them on it. */
function regionChains(transactions: readonly Recorded[]): readonly (readonly Recorded[])[] {
  const chains = new Map<number, Recorded[]>();
  for (const transaction of transactions) {
    const chain = transaction.block?.chain ?? 0;
    if (chain > 0) chains.set(chain, [...(chains.get(chain) ?? []), transaction]);
  }
  return [...chains.values()];
}

/**
 * Puts recorded transactions on a channel: set-up and elections, then of each region half of its readings blocks one
 * after the other, then the other halves with all regions at once, and what the consortium's own chain has.
 */
export async function replay(channel: Channel, transactions: readonly Recorded[]): Promise<Replayed> {
  const before = await channel.blockBytes();
  for (const transaction of transactions) if (transaction.block === undefined) await submit(channel, transaction);
  const chains = regionChains(transactions).map(halves);
  const latencies: number[] = [];
  for (const [first] of chains) {
    for (const transaction of first) {
      const milliseconds = await submit(channel, transaction);
      if (hasReadings(transaction)) latencies.push(milliseconds);
    }
  }
  const start = performance.now();
  await Promise.all(
    chains.map(async ([, second]) => {
      for (const transaction of second) await submit(channel, transaction);
    }),
  );
  const blocks = chains.reduce((sum, [, second]) => sum + second.filter(hasReadings).length, 0);
  const throughput = (1000 * blocks) / (performance.now() - start);
  for (const transaction of transactions) if (transaction.block?.chain === 0) await submit(channel, transaction);
  return { latencies, throughput, bytes: (await channel.blockBytes()) - before };
}
