import { MerkleTree, compareBytes, seedLeafHash, toHex, type Period } from "@veilgrid/protocol";
import type { EpochMember, EpochRecord } from "./epoch-record.js";
import type { MeterSeeds } from "./seeds.js";

/** Where a meter's leaf stands under an epoch's seed root. */
export interface SeedPath {
  readonly index: number;
  readonly count: number;
  readonly hashes: readonly Uint8Array[];
}

/**
 * "the RFC 6962 root over the ascending leaves `H1("veilgrid/1/seeds", BID ‖ Period first ‖ s ‖ s' ‖ r ‖ r')` of all
 * meters whose keys begin to count with this epoch" (PROTOCOL section 4, Filter generation).
 */
export class SeedTree {
  readonly #leaves: readonly Uint8Array[];
  readonly #tree: MerkleTree;
  readonly #first: Period;
  readonly #seeds: MeterSeeds;

  private constructor(leaves: readonly Uint8Array[], first: Period, seeds: MeterSeeds) {
    this.#leaves = leaves;
    this.#tree = new MerkleTree(leaves);
    this.#first = first;
    this.#seeds = seeds;
  }

  static async of({ first, members }: EpochRecord, seeds: MeterSeeds): Promise<SeedTree> {
    const beginning = members.filter(({ begins }) => begins);
    const leaves: Uint8Array[] = [];
    for (const member of beginning) leaves.push(await leafOf(member, first, seeds));
    return new SeedTree(leaves.sort(compareBytes), first, seeds);
  }

  get root(): Uint8Array {
    return this.#tree.root;
  }

  get count(): number {
    return this.#leaves.length;
  }

  /** The path of a meter that begins with the epoch. */
  async path(member: EpochMember): Promise<SeedPath> {
    const leaf = toHex(await leafOf(member, this.#first, this.#seeds));
    const index = this.#leaves.findIndex((other) => toHex(other) === leaf);
    return { index, count: this.count, hashes: this.#tree.path(index) };
  }
}

async function leafOf(member: EpochMember, first: Period, seeds: MeterSeeds): Promise<Uint8Array> {
  return seedLeafHash(member.bid, first, await seeds.of(member, first.month));
}
