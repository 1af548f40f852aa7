import { expect } from "chai";
import { decodeReadingLeaf, quorum, toHex, verifyReceiptOf, type Receipt } from "@veilgrid/protocol";
import { Meter as SmartMeter, type Proof } from "@veilgrid/meter-client";
import { MemoryStore, type Conduct } from "@veilgrid/gateway";
import { MONTH, periodAt, startedChain, type Chain } from "../../src/consortium/chain.js";
import type { Meter } from "../../src/consortium/meters.js";
import { Aggregators, outcome } from "../../src/paper/aggregators.js";
import { MeterCsv } from "../../src/world/meter-csv.js";

/*
 * The paper (section 5, Data aggregation, steps 1 to 5; Consensus, leader): a DA hands in what it says it received, and the
 * leader takes whichever transactions it likes into the block.
 * Ours (PROTOCOL section 4): a meter is content only with a receipt of Q acks, a block is the union of what was acked, and
 * who acked a reading does not vote for a block without it.
 */

/** Ten real homes, 30 days. */
const HOMES = MeterCsv.sgsc(10);

/** Half of the periods, such that neither an hour of the day nor a day is favoured. */
function isLeftOut(n: number): boolean {
  return (n + Math.floor(n / 48)) % 2 === 1;
}

/** What a leader that leaves a home out of half of the blocks takes for its mean, from the regional sums alone. */
function guessedMean(wh: readonly (readonly bigint[])[], victim: number): number {
  const sums = wh.map((row, n) => row.reduce((sum, c, home) => sum + (home === victim && isLeftOut(n) ? 0n : c), 0n));
  const total = (leftOut: boolean): bigint =>
    sums.reduce((all, sum, n) => all + (isLeftOut(n) === leftOut ? sum : 0n), 0n);
  return Number(total(false) - total(true)) / (wh.length / 2);
}

describe("H8: left out of the block", () => {
  it("the paper's rule gives way", () => {
    const columns = HOMES.wattHours().map((row) => row.map((wh) => wh ?? 0n));
    const rows = HOMES.starts.map((_, n) => columns.map((row) => row[n] as bigint));
    const errors = columns.map((row, victim) => {
      const mean = Number(row.reduce((sum, c) => sum + c, 0n)) / row.length;
      return Math.abs(guessedMean(rows, victim) / mean - 1);
    });
    errors.sort((a, b) => a - b);
    // Each home's mean consumption, from published sums: to 4 % for the best guessed one, to 38 % for the worst.
    expect(errors[0]).to.be.closeTo(0.04, 0.01);
    expect(errors[5]).to.be.below(0.13);
    expect(errors[9]).to.be.closeTo(0.38, 0.01);
  });

  describe("ours holds", () => {
    let chain: Chain;
    let victim: Meter;
    let prids: readonly string[];

    before(async () => {
      chain = await startedChain();
      await chain.commit(chain.epoch());
      victim = chain.meters[2] as Meter;
      prids = victim.halves(chain.place()).map(({ prid }) => toHex(prid));
    });

    it("against a leader that leaves a home out: it gets no vote, and the next one has everything in the block", async () => {
      const isVictims = (leaf: Uint8Array): boolean => prids.includes(toHex(decodeReadingLeaf(leaf).prid));
      const omitting: Conduct = { select: (readings) => readings.filter(({ leaf }) => !isVictims(leaf)) };
      const grid = await Aggregators.over(chain.on(chain.ledger.copy()), { 0: { options: { conduct: omitting } } });
      const answers: string[] = [];
      grid.network.drop(({ method, direction, bytes }) => {
        if (method === "propose" && direction === "response") answers.push(outcome({ response: bytes }));
        return false;
      });
      await grid.clock.run(grid.window(0).opens);
      grid.send({}, chain.readings().leaves);
      await grid.clock.run(grid.window(0).freezes + 10_000);
      expect(answers.length).to.be.at.least(3);
      expect(new Set(answers)).to.deep.equal(new Set(["incomplete"]));
      await grid.seconds(60);
      const { term, leader } = await grid.chain.view.term();
      expect([term, grid.index(leader) === 0]).to.deep.equal([2n, false]);
      const { number, count } = (await grid.chain.view.readings(1, periodAt(0))) ?? { number: 0n };
      expect(count).to.equal(12);
      const committed = await grid.chain.view.block(1, number);
      expect(committed?.block.leaves.filter(isVictims)).to.have.length(2);
    });

    it("against a DA that drops readings: the meter has its receipts from Q others", async () => {
      const grid = await Aggregators.over(chain.on(chain.ledger.copy()));
      // It is whom the meter tries first, and drops all that it is sent.
      const dropped: string[] = [];
      grid.network.drop(({ method, direction, to }) => {
        if (method !== "reading" || direction !== "request" || (dropped.length > 0 && to !== dropped[0])) return false;
        dropped.push(to);
        return true;
      });
      const { params, consortium } = chain;
      const key = { month: MONTH, key: victim.monthKey };
      const meter = new SmartMeter(
        { name: "victim", consortium, region: 1, params, key },
        {
          clock: grid.clock,
          store: new MemoryStore(),
          random: grid.random,
          transport: grid.network.transport("meter"),
        },
      );
      await grid.clock.run(grid.window(0).opens);
      await meter.record(periodAt(0), 640n);
      await grid.clock.run(grid.window(0).freezes + 10_000);
      expect(dropped).not.to.deep.equal([]);
      const proofs = ([0, 1] as const).map((half) => meter.proof(periodAt(0), half)) as Proof[];
      const receipts: Receipt[] = proofs.map(({ receipt, reading }) =>
        verifyReceiptOf(consortium, params, receipt, reading),
      );
      expect(receipts.map((receipt) => receipt.length)).to.deep.equal([quorum(4), quorum(4)]);
      expect(await grid.chain.view.readings(1, periodAt(0))).to.include({ count: 2, aggFault: true });
    });
  });
});
