import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { MerkleTree, VeilgridError, fromHex, merklePath, merkleRoot, toHex, verifyPath } from "@veilgrid/protocol";
import { readVectors } from "./vectors.js";

interface Rfc6962 {
  readonly leaves: readonly string[];
  readonly emptyRoot: string;
  readonly roots: readonly string[];
  readonly paths: readonly { readonly index: number; readonly count: number; readonly path: readonly string[] }[];
}

const vectors = readVectors("rfc-6962.json") as Rfc6962;
const vectorLeaves = vectors.leaves.map(fromHex);

const digest = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** MTH as RFC 6962 section 2.1 defines it, by recursion on the greatest power of two below n. */
function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return digest();
  if (leaves.length === 1) return digest(Uint8Array.of(0), leaves[0] as Uint8Array);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return digest(Uint8Array.of(1), definedRoot(leaves.slice(0, k)), definedRoot(leaves.slice(k)));
}

const someLeaves = fc.array(fc.uint8Array({ maxLength: 120 }), { minLength: 1, maxLength: 70 });

describe("Merkle tree", () => {
  it("has the roots of the reference", () => {
    expect(toHex(merkleRoot([]))).to.equal(vectors.emptyRoot);
    vectors.roots.forEach((root, i) => {
      expect(toHex(merkleRoot(vectorLeaves.slice(0, i + 1))), `${i + 1} leaves`).to.equal(root);
    });
  });

  it("has the paths of the reference", () => {
    for (const { index, count, path } of vectors.paths) {
      expect(merklePath(vectorLeaves.slice(0, count), index).map(toHex), `${index} of ${count}`).to.deep.equal(path);
    }
  });

  it("is the tree that RFC 6962 defines", () => {
    fc.assert(
      fc.property(someLeaves, (leaves) => {
        expect(merkleRoot(leaves)).to.deep.equal(definedRoot(leaves));
      }),
    );
  });

  it("proves every leaf, and no leaf at another place or of another tree", () => {
    fc.assert(
      fc.property(someLeaves, fc.nat(), (leaves, at) => {
        const tree = new MerkleTree(leaves);
        const index = at % leaves.length;
        const leaf = leaves[index] as Uint8Array;
        const path = tree.path(index);
        const count = leaves.length;
        expect(verifyPath(leaf, index, count, path, tree.root)).to.equal(true);
        expect(verifyPath(new Uint8Array(121), index, count, path, tree.root)).to.equal(false);
        expect(verifyPath(leaf, index, count, [...path, tree.root], tree.root)).to.equal(false);
        expect(verifyPath(leaf, index, count, path, digest(tree.root))).to.equal(false);
        expect(verifyPath(leaf, count, count, path, tree.root)).to.equal(false);
        for (let i = 0; i < path.length; i += 1) {
          expect(verifyPath(leaf, index, count, path.toSpliced(i, 1), tree.root), `without hash ${i}`).to.equal(false);
          expect(verifyPath(leaf, index, count, path.with(i, tree.root), tree.root), `hash ${i}`).to.equal(false);
        }
      }),
    );
  });

  it("refuses a path with a hash that is cut", () => {
    const path = merklePath(vectorLeaves, 0);
    const cut = path.with(0, (path[0] as Uint8Array).subarray(1));
    expect(verifyPath(vectorLeaves[0] as Uint8Array, 0, 8, cut, merkleRoot(vectorLeaves))).to.equal(false);
  });

  it("refuses indices and counts that are none", () => {
    const root = merkleRoot(vectorLeaves);
    for (const [index, count] of [
      [-1, 8],
      [0.5, 8],
      [0, 0],
      [8, 8],
      [0, Number.NaN],
    ] as const) {
      expect(verifyPath(new Uint8Array(0), index, count, [], root), `${index} of ${count}`).to.equal(false);
    }
    for (const index of [-1, 8, 0.5]) {
      expect(() => merklePath(vectorLeaves, index))
        .to.throw(VeilgridError)
        .with.property("code", "out-of-range");
    }
  });
});
