import fc from "fast-check";
import { concat } from "@veilgrid/protocol";

type Edit = readonly [at: number, xor: number];

function turned([valid, edits]: [Uint8Array, readonly Edit[]]): Uint8Array {
  const copy = valid.slice();
  for (const [at, xor] of edits) if (copy.length > 0) copy[at % copy.length] = (copy[at % copy.length] as number) ^ xor;
  return copy;
}

function part(bytes: Uint8Array, share: number): number {
  return Math.round(share * bytes.length);
}

/** What may stand where valid bytes should: noise, and the valid ones with bytes turned, cut, longer, spliced, doubled. */
export function mutated(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const one = fc.constantFrom(...valid);
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  const edit = fc.tuple(fc.nat(2_048), fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128, 255));
  return fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    { weight: 3, arbitrary: fc.tuple(one, fc.array(edit, { minLength: 1, maxLength: 4 })).map(turned) },
    fc.tuple(one, share).map(([bytes, cut]) => bytes.subarray(0, part(bytes, cut))),
    fc.tuple(one, fc.uint8Array({ minLength: 1, maxLength: 64 })).map(([bytes, more]) => concat(bytes, more)),
    fc.tuple(one, one, share, share).map(([a, b, to, from]) => {
      return concat(a.subarray(0, part(a, to)), b.subarray(part(b, from)));
    }),
    one.map((bytes) => concat(bytes, bytes)),
  );
}
