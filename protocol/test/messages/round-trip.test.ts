import { expect } from "chai";
import fc from "fast-check";
import {
  ackCodec,
  answerCodec,
  billsCodec,
  blockCodec,
  closeCodec,
  deliveryCodec,
  electionCodec,
  epochCodec,
  headerCodec,
  incompleteCodec,
  isVeilgridError,
  maskCodec,
  paramsCodec,
  priceCodec,
  proposalCodec,
  readingCodec,
  timeoutCodec,
  verdictCodec,
  voteCodec,
  type Codec,
} from "../../src/index.js";
import * as arbitrary from "./arbitraries.js";
import * as blocks from "./block-arbitraries.js";
import { RUNS } from "./arbitraries.js";

/** A value with its codec: an epoch's depends on its parameter set. */
interface Case<T> {
  readonly codec: Codec<T>;
  readonly value: T;
}

function of<T>(codec: Codec<T>, values: fc.Arbitrary<T>): fc.Arbitrary<Case<unknown>> {
  return values.map((value) => ({ codec: codec, value }));
}

const CASES: Record<string, fc.Arbitrary<Case<unknown>>> = {
  params: of(paramsCodec, arbitrary.params),
  epoch: arbitrary.params.chain((set) => of(epochCodec(set), arbitrary.epoch(set))),
  reading: of(readingCodec, arbitrary.reading),
  ack: of(ackCodec, arbitrary.ack),
  answer: of(answerCodec, arbitrary.answer),
  header: of(headerCodec, blocks.header),
  block: of(blockCodec, blocks.block),
  proposal: of(proposalCodec, blocks.proposal),
  incomplete: of(incompleteCodec, arbitrary.incomplete),
  vote: of(voteCodec, arbitrary.vote),
  timeout: of(timeoutCodec, arbitrary.timeout),
  election: of(electionCodec, arbitrary.election),
  mask: of(maskCodec, arbitrary.mask),
  price: of(priceCodec, arbitrary.price),
  bills: of(billsCodec, arbitrary.bills),
  verdict: of(verdictCodec, arbitrary.verdict),
  close: of(closeCodec, arbitrary.close),
  delivery: of(deliveryCodec, arbitrary.delivery),
};

/** What the codec decodes the bytes to, or nothing where it refuses them as malformed; any other error is a bug. */
function decoded(codec: Codec<unknown>, bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: codec.decode(bytes) };
  } catch (error) {
    if (isVeilgridError(error, "malformed")) return undefined;
    throw error;
  }
}

describe("every struct's codec", () => {
  for (const [what, cases] of Object.entries(CASES)) {
    describe(what, () => {
      it("gives back what it encoded", () => {
        const property = fc.property(cases, ({ codec, value }) => {
          expect(codec.decode(codec.encode(value))).to.deep.equal(value);
        });
        fc.assert(property, { numRuns: RUNS });
      });

      it("refuses its bytes with one cut off or one added", () => {
        const property = fc.property(cases, arbitrary.u8, ({ codec, value }, extra) => {
          const bytes = codec.encode(value);
          expect(decoded(codec, bytes.subarray(0, -1)), "one less at the end").to.equal(undefined);
          expect(decoded(codec, Uint8Array.of(...bytes, extra)), "one more").to.equal(undefined);
        });
        fc.assert(property, { numRuns: RUNS });
      });

      it("refuses a changed byte, or takes it for another value with just these bytes", () => {
        const change = fc.record({ at: fc.nat(), by: fc.integer({ min: 1, max: 0xff }) });
        const property = fc.property(cases, change, ({ codec, value }, { at, by }) => {
          const bytes = codec.encode(value);
          const index = at % bytes.length;
          bytes[index] = (bytes[index] as number) ^ by;
          const other = decoded(codec, bytes);
          if (other !== undefined) expect(codec.encode(other.value)).to.deep.equal(bytes);
        });
        fc.assert(property, { numRuns: 3 * RUNS });
      });

      it("refuses arbitrary bytes, or takes them for a value with just these bytes", () => {
        const property = fc.property(cases, fc.uint8Array({ maxLength: 300 }), ({ codec }, bytes) => {
          const other = decoded(codec, bytes);
          if (other !== undefined) expect(codec.encode(other.value)).to.deep.equal(bytes);
        });
        fc.assert(property, { numRuns: RUNS });
      });
    });
  }
});
