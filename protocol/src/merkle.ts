import { equalBytes } from "./bytes.js";
import { VeilgridError } from "./errors.js";
import { sha256 } from "./hash.js";

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

function leafHash(leaf: Uint8Array): Uint8Array {
  return sha256(LEAF_PREFIX, leaf);
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE_PREFIX, left, right);
}

/**
 * The level above: neighbours are hashed together, an odd last node moves up as it is. That gives the tree of RFC 6962,
 * whose left subtree is always the greatest full one.
 */
function levelAbove(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 0; i + 1 < level.length; i += 2) {
    above.push(nodeHash(level[i] as Uint8Array, level[i + 1] as Uint8Array));
  }
  if (level.length % 2 === 1) above.push(level.at(-1) as Uint8Array);
  return above;
}

/** The Merkle tree of RFC 6962 section 2.1 over leaves in their order, kept so that many paths cost one build. */
export class MerkleTree {
  readonly #levels: Uint8Array[][];

  constructor(leaves: readonly Uint8Array[]) {
    this.#levels = [leaves.map(leafHash)];
    for (let level = this.#levels[0] as Uint8Array[]; level.length > 1; level = this.#levels.at(-1) as Uint8Array[]) {
      this.#levels.push(levelAbove(level));
    }
  }

  /** The root, 32 bytes; that of the empty tree is SHA-256 of nothing. */
  get root(): Uint8Array {
    return this.#levels.at(-1)?.[0] ?? sha256();
  }

  /**
   * The hashes from the leaf's sibling upwards (RFC 6962 section 2.1.1).
   * @throws VeilgridError `out-of-range` for an index that names no leaf.
   */
  path(index: number): Uint8Array[] {
    const count = (this.#levels[0] as Uint8Array[]).length;
    if (!inTree(index, count)) {
      throw new VeilgridError("out-of-range", "no such leaf", { facts: { index, count }, blame: "caller" });
    }
    const path: Uint8Array[] = [];
    for (let level = 0, at = index; level + 1 < this.#levels.length; level += 1, at >>>= 1) {
      const sibling = this.#levels[level]?.[at ^ 1];
      if (sibling !== undefined) path.push(sibling);
    }
    return path;
  }
}

/** The RFC 6962 root of leaves in their order; linear in their number. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return new MerkleTree(leaves).root;
}

/** The audit path of one leaf. For paths of many leaves use one MerkleTree. */
export function merklePath(leaves: readonly Uint8Array[], index: number): Uint8Array[] {
  return new MerkleTree(leaves).path(index);
}

/** Whether `index` names one of `count` leaves. */
function inTree(index: number, count: number): boolean {
  return Number.isInteger(index) && Number.isInteger(count) && index >= 0 && index < count;
}

/** On which side the siblings of leaf `index` of `count` stand, from the leaf upwards. */
function* siblingSides(index: number, count: number): Generator<"left" | "right", void> {
  for (let at = index, last = count - 1; last > 0; at = Math.floor(at / 2), last = Math.floor(last / 2)) {
    if (at % 2 === 1) yield "left";
    // The odd last node of a level has no sibling and moves up as it is.
    else if (at !== last) yield "right";
  }
}

/**
 * Whether `leaf` is number `index` of the `count` leaves under `root`; false for a path that is too long, too short, or
 * has a hash of another length.
 */
export function verifyPath(
  leaf: Uint8Array,
  index: number,
  count: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!inTree(index, count)) return false;
  let hash = leafHash(leaf);
  let used = 0;
  for (const side of siblingSides(index, count)) {
    const sibling = path[used];
    if (sibling?.length !== 32) return false;
    hash = side === "left" ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    used += 1;
  }
  return used === path.length && equalBytes(hash, root);
}
