import { equalBytes, toHex } from "./bytes.js";
import { VeilgridError, type Facts } from "./errors.js";
import { sha256 } from "./hash.js";
import { checkParamsLeaf, checkSuccession, newKeys } from "./ledger/succession.js";
import { decodeParamsLeaf, encodeParamsLeaf } from "./messages/params-leaf.js";
import { paramsCodec, type Member, type Params } from "./messages/params.js";
import { schnorr } from "./schnorr/choice.js";
import { SIG_BYTES } from "./messages/leaf.js";
import { signBody, verifyBody } from "./sig.js";

/** What of a parameter set may be changed without changing who takes part. */
export type ParamsValues = Partial<Omit<Params, "version" | "channel" | "periodSeconds" | "da" | "cc" | "kgcbp">>;

/** One change of a parameter set. Keys are x-only, 32 bytes. */
export type ParamsChange =
  | { readonly what: "rotate-da"; readonly msp: string; readonly key: Uint8Array }
  | { readonly what: "rotate-cc" | "rotate-kgcbp"; readonly key: Uint8Array }
  /** The new aggregator comes last: the indices of the others stay. */
  | { readonly what: "add-da"; readonly msp: string; readonly key: Uint8Array }
  | { readonly what: "remove-da"; readonly msp: string }
  | { readonly what: "set"; readonly values: ParamsValues };

function refuse(code: string, message: string, facts: Facts): VeilgridError {
  return new VeilgridError(code, message, { facts, blame: "caller" });
}

function indexOf(da: readonly Member[], msp: string): number {
  const index = da.findIndex((member) => member.msp === msp);
  if (index < 0) throw refuse("unknown-member", "no aggregator is called so", { msp });
  return index;
}

/** A key that proves nothing new is no rotation. */
function rotated(member: Member, key: Uint8Array): Member {
  if (equalBytes(member.key, key)) throw refuse("same-key", "the key is the one in force", { msp: member.msp });
  return { ...member, key };
}

/** A value that is in force is no change. */
function different(params: Params, values: ParamsValues): ParamsValues {
  const same = (Object.keys(values) as (keyof ParamsValues)[]).find((name) => values[name] === params[name]);
  if (same !== undefined) throw refuse("same-value", `${same} is in force with this value`, { name: same });
  return values;
}

function changed(params: Params, change: ParamsChange): Params {
  const { da } = params;
  switch (change.what) {
    case "rotate-da": {
      const index = indexOf(da, change.msp);
      return { ...params, da: da.with(index, rotated(da[index] as Member, change.key)) };
    }
    case "rotate-cc":
      return { ...params, cc: rotated(params.cc, change.key) };
    case "rotate-kgcbp":
      return { ...params, kgcbp: rotated(params.kgcbp, change.key) };
    case "add-da": {
      const { msp, key } = change;
      if (da.some((member) => member.msp === msp)) throw refuse("known-member", "an aggregator is called so", { msp });
      return { ...params, da: [...da, { msp, key }] };
    }
    case "remove-da":
      return { ...params, da: da.toSpliced(indexOf(da, change.msp), 1) };
    case "set":
      return { ...params, ...different(params, change.values) };
  }
}

/** No two changes of one set may be about the same thing: the later one would undo the first unseen. */
function checkDistinct(changes: readonly ParamsChange[]): void {
  const names = changes.flatMap((change) => {
    if (change.what === "set") return Object.keys(change.values);
    return "msp" in change ? [`da/${change.msp}`] : [change.what];
  });
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw refuse("changed-twice", "two changes are about the same", { what: twice });
}

/**
 * The version after `current` (PROTOCOL section 4, Setup), with what the ledger would refuse refused at once.
 * @param changes at least one; all come into force together.
 * @throws VeilgridError `no-change`, `changed-twice`, `unknown-member`, `known-member`, `same-key`, `same-value`; `wrong-params`,
 * `too-few-aggregators` as the ledger; `out-of-range` for values that a parameter set cannot have, a key that two would
 * share among them.
 */
export function nextParams(current: Params, changes: readonly ParamsChange[]): Params {
  if (changes.length === 0) throw refuse("no-change", "nothing is to be changed", {});
  checkDistinct(changes);
  const next = changes.reduce(changed, { ...current, version: current.version + 1 });
  checkSuccession(next, current);
  // Encoding holds it to every rule of the message.
  return paramsCodec.decode(paramsCodec.encode(next));
}

/** The proof of possession by a new key, which its owner alone can make: `sig("possession", SHA-256(Params))`, 64 bytes. */
export function provePossession(consortium: Uint8Array, next: Params, secret: Uint8Array): Uint8Array {
  return signBody("possession", consortium, sha256(paramsCodec.encode(next)), secret);
}

/**
 * The leaf of the params block, for operators to approve.
 * @param proofs the proofs of possession of all new keys, in any order.
 * @throws VeilgridError `missing-possession` with the first key (hex) that has none; as the ledger's rule.
 */
export function composeParamsLeaf(
  consortium: Uint8Array,
  current: Params,
  next: Params,
  proofs: readonly Uint8Array[],
): Uint8Array {
  const bytes = paramsCodec.encode(next);
  const digest = sha256(bytes);
  const ordered = newKeys(next, current).map((key) => {
    const proof = proofs.find((sig) => verifyBody("possession", consortium, digest, sig, key));
    if (proof === undefined) {
      throw refuse("missing-possession", "a new key has no proof of possession", { key: toHex(key) });
    }
    return proof;
  });
  const leaf = encodeParamsLeaf(bytes, ordered);
  checkParamsLeaf(consortium, current, leaf);
  return leaf;
}

/** What stands in a leaf for a proof that is still due: no signature verifies so. */
const DUE = new Uint8Array(SIG_BYTES);

/**
 * Fills in the proofs of possession by the keys of these secrets, and leaves room for those that others are still to give:
 * so a leaf goes from one organisation to the next, until the ledger's rule has nothing against it.
 * @param leaf `Params` alone, or with what proofs there are.
 * @param secrets BIP-340 secrets, 32 bytes each; those that stand for no new key prove nothing.
 * @throws VeilgridError as `checkSuccession`; `malformed`.
 */
export function proveParamsLeaf(
  consortium: Uint8Array,
  current: Params,
  leaf: Uint8Array,
  secrets: readonly Uint8Array[],
): Uint8Array {
  const { params: next, bytes, possessions } = decodeParamsLeaf(leaf);
  checkSuccession(next, current);
  const own = new Map(secrets.map((secret) => [toHex(schnorr.publicKey(secret)), secret]));
  const proofs = newKeys(next, current).map((key, i) => {
    const secret = own.get(toHex(key));
    return secret === undefined ? (possessions[i] ?? DUE) : provePossession(consortium, next, secret);
  });
  return encodeParamsLeaf(bytes, proofs);
}

/** The new keys (x-only, 32 bytes) whose proofs of possession a leaf lacks, in the leaf's order. @throws VeilgridError `malformed`. */
export function unprovenKeys(consortium: Uint8Array, current: Params, leaf: Uint8Array): Uint8Array[] {
  const { params: next, bytes, possessions } = decodeParamsLeaf(leaf);
  const digest = sha256(bytes);
  return newKeys(next, current).filter((key, i) => {
    const proof = possessions[i];
    return proof === undefined || !verifyBody("possession", consortium, digest, proof, key);
  });
}
