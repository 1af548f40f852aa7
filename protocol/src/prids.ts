import { schnorr as nobleSchnorr, secp256k1 } from "@noble/curves/secp256k1.js";
import { Writer, compareBytes, toHex } from "./bytes.js";
import { VeilgridError } from "./errors.js";
import { GROUP_ORDER, H1, scalarBytes, scalarOf } from "./hash.js";
import type { Period } from "./messages/period.js";
import { schnorr } from "./schnorr/choice.js";

const { Point } = secp256k1;

function checkAscending(prids: readonly Uint8Array[]): void {
  for (let i = 1; i < prids.length; i += 1) {
    if (compareBytes(prids[i - 1] as Uint8Array, prids[i] as Uint8Array) < 0) continue;
    throw new VeilgridError("unsorted", "PRIDs of a set are strictly ascending", { facts: { at: i }, blame: "caller" });
  }
}

/**
 * The set commitment `S[j,k] = H1("veilgrid/1/set", Region ‖ Period ‖ uint32 count ‖ the PRIDs ascending)`.
 * @throws VeilgridError `unsorted` unless the PRIDs (32 bytes each) are strictly ascending.
 */
export function setCommitment(region: number, period: Period, prids: readonly Uint8Array[]): Uint8Array {
  checkAscending(prids);
  const head = new Writer().u16(region).u32(period.month).u16(period.k).u32(prids.length);
  for (const prid of prids) head.fixed(prid, 32);
  return H1("veilgrid/1/set", head.bytes());
}

type CurvePoint = InstanceType<typeof Point>;

/** The point of an x-only key whose y is even (BIP-340 lift_x). */
function evenPoint(prid: Uint8Array): CurvePoint {
  try {
    return nobleSchnorr.utils.lift_x(BigInt(`0x${toHex(prid)}`));
  } catch (cause) {
    throw new VeilgridError("bad-prid", "a PRID is the x coordinate of a point", { blame: "peer", cause });
  }
}

function compressed(sum: CurvePoint): Uint8Array | undefined {
  return sum.is0() ? undefined : sum.toBytes(true);
}

/**
 * T[j,k] of completeness mode `sum`: the sum of the PRIDs as even-y points, 33 bytes compressed; undefined for no PRIDs
 * and for a sum at infinity, which have no T (PROTOCOL section 7).
 * @throws VeilgridError `bad-prid` for 32 bytes that are no x coordinate.
 */
export function pridSum(prids: readonly Uint8Array[]): Uint8Array | undefined {
  let sum = Point.ZERO;
  for (const prid of prids) sum = sum.add(evenPoint(prid));
  return compressed(sum);
}

/**
 * The one of d and q - d whose point has an even y; BIP-340 signs alike under both. `secret` is H2(t), 32 bytes.
 * @throws VeilgridError `bad-secret` unless 0 < secret < q.
 */
export function evenScalar(secret: Uint8Array): bigint {
  const d = scalarOf(secret);
  return schnorr.publicPoint(secret)[0] === 2 ? d : GROUP_ORDER - d;
}

/** T[j,k] for one who knows the exponents, as even-y scalars: one addition each and one multiplication. */
export function pridSumFromScalars(evenScalars: Iterable<bigint>): Uint8Array | undefined {
  let exponent = 0n;
  for (const scalar of evenScalars) exponent += scalar;
  exponent %= GROUP_ORDER;
  return exponent === 0n ? undefined : schnorr.publicPoint(scalarBytes(exponent));
}

/** T[j,k] from the secrets H2(t) themselves; equal to `pridSum` of their PRIDs. */
export function pridSumFromSecrets(secrets: readonly Uint8Array[]): Uint8Array | undefined {
  return pridSumFromScalars(secrets.map(evenScalar));
}
