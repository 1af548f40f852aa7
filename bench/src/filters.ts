import { BloomFilter, leaf, leaves, merkleRoot, sha256, utf8, Writer } from "@veilgrid/protocol";
import { createHash } from "node:crypto";
import { Bench } from "tinybench";
import { printRatios, type Measured } from "./ratios.js";

const SEED = sha256(utf8("veilgrid bench seed"));
const DAY = 48;
const READINGS = 2_000;

function elements(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => sha256(new Writer().u32(i).bytes()));
}

async function ratio(title: string, reference: [string, () => void], ours: [string, () => void]): Promise<void> {
  const bench = new Bench({ time: 500, warmupTime: 100 });
  for (const [name, run] of [reference, ours]) bench.add(name, run);
  await bench.run();
  const measured: Measured[] = bench.tasks.map(({ name, result }) => ({
    what: title,
    by: name,
    perSecond: result.state === "completed" ? result.throughput.mean : 0,
  }));
  printRatios(title, reference[0], measured);
}

/** The protocol's own constructions, each against the plain way of doing the same. */
export async function benchConstructions(): Promise<void> {
  await ratio(
    "GGM-PRF, a day of 48 periods",
    ["a walk from the root each", () => Array.from({ length: DAY }, (_, k) => leaf(SEED, k))],
    ["one depth-first pass", () => leaves(SEED, 0, DAY)],
  );
  const all = elements(READINGS);
  await ratio(
    "RFC 6962 root of 2,000 leaves",
    ["one SHA-256 (node) a leaf", () => all.map((one) => createHash("sha256").update(one).digest())],
    ["merkleRoot", () => merkleRoot(all)],
  );
  const shape = { bitsPerElement: 29, indices: 20 };
  const filter = BloomFilter.of("veilgrid/1/bf1", all, READINGS, shape);
  const set = new Set(all.map((one) => Buffer.from(one).toString("hex")));
  await ratio(
    "2,000 membership checks",
    ["Set of hex", () => all.every((one) => set.has(Buffer.from(one).toString("hex")))],
    ["BF1", () => all.every((one) => filter.has(one))],
  );
}
