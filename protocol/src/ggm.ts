import { VeilgridError } from "./errors.js";
import { expand } from "./prg.js";

/** Depth of the GGM tree: 2^12 leaves hold the periods of any month (at most 2 976). */
export const GGM_DEPTH = 12;

const LEAVES = 1 << GGM_DEPTH;

function checkRun(first: number, count: number): void {
  const good = Number.isInteger(first) && Number.isInteger(count) && first >= 0 && count >= 0;
  if (!good || first + count > LEAVES) {
    throw new VeilgridError("out-of-range", "a run of GGM leaves ends inside the tree", {
      facts: { first, count, leaves: LEAVES },
      blame: "caller",
    });
  }
}

/**
 * `f_s(k)` for k in [first, first + count): the GGM-PRF of PROTOCOL section 2 [3.3] as one depth-first pass, which
 * expands each inner node above the run once. `seed` and each leaf are 32 bytes.
 * @throws VeilgridError `out-of-range` for leaves outside the tree.
 */
export function leaves(seed: Uint8Array, first: number, count: number): Uint8Array[] {
  checkRun(first, count);
  const run: Uint8Array[] = [];
  const end = first + count;
  // `node` is the root of the subtree over the leaves [low, low + size).
  const walk = (node: Uint8Array, low: number, size: number): void => {
    if (low >= end || low + size <= first) return;
    if (size === 1) {
      // A copy: a leaf must not carry its sibling along in a shared buffer.
      run.push(node.slice());
      return;
    }
    const [left, right] = expand(node);
    walk(left, low, size / 2);
    walk(right, low + size / 2, size / 2);
  };
  walk(seed, 0, LEAVES);
  return run;
}

/** `f_s(k)`: one leaf, 32 bytes. @throws VeilgridError `out-of-range` for k outside [0, 4096). */
export function leaf(seed: Uint8Array, k: number): Uint8Array {
  return leaves(seed, k, 1)[0] as Uint8Array;
}
