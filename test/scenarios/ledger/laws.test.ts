import { expect } from "chai";
import fc from "fast-check";
import {
  BASIS,
  LedgerView,
  VerifiedSignatures,
  applyBlock,
  isVeilgridError,
  toHex,
  useEngine,
  type Params,
  type StateReader,
  type Transition,
} from "@veilgrid/protocol";
import { periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import { masksDraft, pricesDraft } from "../../src/consortium/issued.js";
import { refusalOf } from "../../src/consortium/refused.js";
import { isCompleteReport, reported, type Report } from "../../src/consortium/reports.js";

/** How often a property is tried: ten times as often with SLOW set. */
const RUNS = process.env.SLOW === undefined ? 25 : 250;
const METERS = 7;
const BOUND = 200_000n;

/** What a meter may do in a period: both halves once, or any other number up to two of each; at, over or below the bound. */
const behaviour = fc.record({
  consumption: fc.oneof(
    fc.bigInt({ min: -BOUND, max: BOUND }),
    fc.constantFrom(BOUND + 1n, -BOUND - 1n, (1n << 63n) - 1n, -(1n << 63n)),
  ),
  halves: fc.oneof(
    { weight: 6, arbitrary: fc.constant<[number, number]>([1, 1]) },
    { weight: 4, arbitrary: fc.tuple(fc.nat(2), fc.nat(2)) },
  ),
});

const behaviours = fc.array(behaviour, { minLength: METERS, maxLength: METERS });

type Behaviours = readonly Pick<Report, "consumption" | "halves">[];

function reportsOf(chain: Chain, all: Behaviours): Report[] {
  return chain.meters.map((meter, i) => {
    const { consumption, halves } = all[i] as Behaviours[number];
    return reported(meter, consumption, halves);
  });
}

/** The sum of the complete meters: what a release opens, if they are enough. */
function countedSum(reports: readonly Report[], params: Params): bigint | undefined {
  const complete = reports.filter((report) => isCompleteReport(report, params));
  if (complete.length < params.minReleaseMeters) return undefined;
  return complete.reduce((sum, { consumption }) => sum + consumption, 0n);
}

/** A ledger over a map that was filled in another order, and asked in any. */
class ShuffledState implements StateReader {
  readonly #state = new Map<string, Uint8Array>();

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#state.get(key)?.slice());
  }

  apply({ writes }: Transition): void {
    for (const { key, value } of [...writes].reverse()) {
      if (value === undefined) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }

  get contents(): string {
    return [...this.#state]
      .map(([key, value]) => `${key}=${toHex(value)}`)
      .sort()
      .join("\n");
  }
}

describe("the laws of the ledger", () => {
  let ready: Chain;

  before(async () => {
    ready = await startedChain({}, METERS);
    await ready.commit(ready.epoch({ periods: 1 }));
  });

  it("unmasks exactly the counted meters' consumption, whoever is missing, doubled or implausible", async () => {
    await fc.assert(
      fc.asyncProperty(behaviours, async (all) => {
        const chain = ready.on(ready.ledger.copy());
        const reports = reportsOf(chain, all);
        await chain.settle({}, reports);
        const expected = countedSum(reports, chain.params);
        const sent = reports.some(({ halves }) => halves[0] + halves[1] > 0);
        if (sent) await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release()])));
        const measured = expected !== undefined;
        const unmeasured = sent ? BASIS.tooFew : BASIS.empty;
        const basis = measured ? BASIS.measured : unmeasured;
        const price = chain.price({}, { basis, consumption: expected ?? 0n });
        await chain.commit(chain.at(pricesDraft(chain.issuing, [price])));
        expect(await chain.view.price(1, periodAt(0))).to.deep.equal(price);
      }),
      { numRuns: RUNS },
    );
  });

  it("unmasks them in release mode upfront too, with a correction where there is a fault", async () => {
    const upfront = await startedChain({ release: "upfront" }, METERS);
    await upfront.commit(upfront.epoch({ periods: 1 }));
    await fc.assert(
      fc.asyncProperty(fc.subarray([...upfront.meters.keys()], { minLength: 5 }), async (present) => {
        const chain = upfront.on(upfront.ledger.copy());
        const reports = chain.reports((everyone) => everyone.filter((_, i) => present.includes(i)));
        await chain.settle({}, reports);
        if (present.length < METERS) await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release()])));
        // Meter i consumes 100 (i + 1) Wh.
        const consumption = present.reduce((sum, i) => sum + 100n * BigInt(i + 1), 0n);
        await chain.commit(chain.at(pricesDraft(chain.issuing, [chain.price({}, { consumption })])));
      }),
      { numRuns: RUNS },
    );
  });

  it("takes one consumption only", async () => {
    const chain = ready.on(ready.ledger.copy());
    await chain.settle();
    await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release()])));
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }), async (consumption) => {
        fc.pre(consumption !== 2800n);
        const sealed = await chain.seal(chain.at(pricesDraft(chain.issuing, [chain.price({}, { consumption })])));
        expect((await refusalOf(chain.ledger, () => chain.submit(sealed))).code).to.equal("wrong-consumption");
      }),
      { numRuns: RUNS },
    );
  });

  it("writes the same bytes for the same inputs, whatever is remembered, with whichever engine", async () => {
    await fc
      .assert(
        fc.asyncProperty(behaviours, async (all) => {
          const twin = ready.on(ready.ledger.copy());
          const block = await twin.seal(twin.readings({}, reportsOf(twin, all)));
          const memory = new VerifiedSignatures(1000);
          const results: string[] = [];
          for (const [engine, remembered] of [
            ["noble", undefined],
            ["wasm", memory],
            ["wasm", memory],
          ] as const) {
            useEngine(engine);
            const state = new ShuffledState();
            for (const key of twin.ledger.keys) {
              state.apply({
                writes: [{ key, value: await twin.ledger.get(key) }],
                event: { name: "block", payload: new Uint8Array() },
              });
            }
            const transition = await applyBlock(new LedgerView(state), block.block, block.cert, remembered);
            state.apply(transition);
            results.push(`${state.contents}\n${toHex(transition.event.payload)}`);
          }
          expect(new Set(results).size).to.equal(1);
        }),
        { numRuns: Math.ceil(RUNS / 5) },
      )
      .finally(() => {
        useEngine("auto");
      });
  });

  it("takes no block or certificate of which one bit is another", async () => {
    const chain = ready.on(ready.ledger.copy());
    const { block, cert } = await chain.seal(chain.readings());
    const bit = fc.nat(8 * (block.length + cert.length) - 1);
    await fc.assert(
      fc.asyncProperty(bit, async (at) => {
        const flip = (bytes: Uint8Array, from: number): Uint8Array => {
          const index = (at >>> 3) - from;
          return index < 0 || index >= bytes.length
            ? bytes
            : bytes.with(index, (bytes[index] as number) ^ (1 << (at & 7)));
        };
        const changed = [flip(block, 0), flip(cert, block.length)] as const;
        const error = await refusalOf(chain.ledger, () => chain.ledger.submitBlock(...changed));
        expect(isVeilgridError(error)).to.equal(true);
      }),
      { numRuns: 4 * RUNS },
    );
  });
});
