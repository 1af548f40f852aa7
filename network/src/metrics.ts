import { consenterId, type Aggregator } from "./consortium.js";
import { HOST } from "./ports.js";
import type { Site } from "./site.js";

/** A frozen process would let a request hang. Milliseconds. */
const DEADLINE = 1500;

/** Prometheus' text format, samples by their name; of several with one name the last. */
export function parseMetrics(text: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{.*\})? (\S+)$/.exec(line) ?? [];
    if (name !== undefined) samples.set(name, Number(value));
  }
  return samples;
}

async function get(port: number, path: string): Promise<Response> {
  return fetch(`http://${HOST}:${port}${path}`, { signal: AbortSignal.timeout(DEADLINE) });
}

/** What a process measures of itself; nothing if it does not answer in time. */
export async function metricsAt(port: number): Promise<ReadonlyMap<string, number> | undefined> {
  try {
    return parseMetrics(await (await get(port, "/metrics")).text());
  } catch {
    return undefined;
  }
}

/** Whether a process says it is well, which tells nothing about the others. */
export async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await get(port, "/healthz")).ok;
  } catch {
    return false;
  }
}

/** What an orderer says about ordering. */
export interface OrdererView {
  /** Number of blocks it has. */
  readonly height: number;
  /** The consenter that it takes for the leader, from 1; right when it wrote its last block. */
  readonly leader: number;
  /** Requests that wait for a block. */
  readonly waiting: number;
}

/** What an orderer's metrics say; nothing if it does not answer. */
export async function ordererView(site: Site, aggregator: Aggregator): Promise<OrdererView | undefined> {
  const metrics = await metricsAt(site.ports(aggregator).ordererOperations);
  if (metrics === undefined) return undefined;
  return {
    height: (metrics.get("consensus_BFT_committed_block_number") ?? 0) + 1,
    leader: metrics.get("consensus_BFT_leader_id") ?? 0,
    waiting: metrics.get("consensus_smartbft_pool_count_of_elements") ?? 0,
  };
}

/**
 * The aggregator whose orderer leads, according to the orderer with the most blocks; the first on a fresh channel, and
 * where the one that is known has left.
 */
export async function ordererLeader(site: Site): Promise<Aggregator> {
  const { aggregators } = site;
  const views = await Promise.all(aggregators.map((aggregator) => ordererView(site, aggregator)));
  const newest = views.filter((view) => view !== undefined).sort((a, b) => b.height - a.height)[0];
  return aggregators.find((da) => consenterId(da) === newest?.leader) ?? (aggregators[0] as Aggregator);
}
