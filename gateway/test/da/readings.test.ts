import { expect } from "chai";
import {
  VerifiedSignatures,
  answerCodec,
  decodeReceipt,
  encodeLeaf,
  readingCodec,
  readingHash,
  schnorr,
  toHex,
  verifyBody,
  verifyReceiptOf,
} from "@veilgrid/protocol";
import { decodeResponse, decodeTime } from "../../src/transport/envelopes.js";
import { FIRST, Grid, outcome, outcomes, type Asked } from "./grid.js";

const NEXT = { month: FIRST.month, k: FIRST.k + 1 };

function answerOf({ response }: Asked): {
  readonly body: ReturnType<typeof answerCodec.decode>;
  readonly signed: boolean;
} {
  const decoded = decodeResponse(response as Uint8Array);
  if (decoded.tag !== "answer") throw new Error(`no answer but ${decoded.tag}`);
  return { body: answerCodec.decode(decoded.answer), signed: decoded.sig !== undefined };
}

function receiptOf({ response }: Asked): Uint8Array {
  const decoded = decodeResponse(response as Uint8Array);
  if (decoded.tag !== "accepted") throw new Error("no receipt");
  return decoded.body;
}

function tampered(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

describe("a meter's reading", () => {
  let grid: Grid;
  beforeEach(async () => {
    grid = await new Grid().start();
    await grid.commitEpoch(1, 4, 5);
    await grid.run(grid.window(FIRST).opens);
  });

  async function ask(bytes: Uint8Array, da = 0): Promise<Asked> {
    const asked = grid.ask(da, "reading", bytes);
    await grid.seconds(2);
    return asked;
  }

  it("gets a receipt of Q acks, ascending, each with its path", async () => {
    const bytes = grid.reading(1, FIRST, 0, 0);
    const receipt = receiptOf(await ask(bytes));
    const entries = verifyReceiptOf(grid.consortium, grid.params, receipt, bytes);
    expect(entries.map(({ body }) => body.count)).to.deep.equal([1, 1, 1]);
    const das = entries.map(({ body }) => body.da);
    expect(das).to.deep.equal([...das].sort());
  });

  it("shares one ack with the others of its bundle", async () => {
    const all = [0, 1, 2, 3, 4].map((meter) => grid.reading(1, FIRST, meter, 0));
    const asked = all.map((bytes) => grid.ask(1, "reading", bytes));
    await grid.seconds(2);
    const receipts = asked.map((one) => decodeReceipt(receiptOf(one), 3));
    all.forEach((bytes, i) => {
      expect(verifyReceiptOf(grid.consortium, grid.params, receiptOf(asked[i] as Asked), bytes)).to.have.length(3);
    });
    const roots = new Set(receipts.flat().map(({ body, bytes }) => `${body.da}/${toHex(bytes)}`));
    // Bundles are cut by time, so of five readings in 50 ms there may be two.
    expect(roots.size).to.be.at.most(8);
  });

  it("is answered the same when it is sent again, and to another aggregator too", async () => {
    const bytes = grid.reading(1, FIRST, 0, 0);
    const first = receiptOf(await ask(bytes));
    expect(receiptOf(await ask(bytes))).to.deep.equal(first);
    const elsewhere = receiptOf(await ask(bytes, 2));
    expect(verifyReceiptOf(grid.consortium, grid.params, elsewhere, bytes)).to.have.length(3);
  });

  it("is answered once for each of a few askers; more find the DA busy", async () => {
    const bytes = grid.reading(1, FIRST, 0, 0);
    const asked = Array.from({ length: 12 }, () => grid.ask(0, "reading", bytes));
    // Nothing is forwarded yet while they come in.
    grid.network.drop(({ method, to }) => method === "forward" && to === "da/Da1");
    await grid.seconds(2);
    const { accepted = 0, busy = 0 } = outcomes(asked);
    expect(accepted + busy).to.equal(12);
    expect(busy).to.be.at.least(1);
  });

  it("is refused malformed: another length, version, region 0, or a period that the month does not have", async () => {
    const good = grid.reading(1, FIRST, 0, 0);
    const region0 = good.slice();
    region0.set([0, 0], 1);
    const period = good.slice();
    period.set([0xff, 0xff], 7);
    for (const bytes of [
      new Uint8Array(),
      good.slice(1),
      Uint8Array.of(...good, 0),
      tampered(good, 0),
      region0,
      period,
    ]) {
      const asked = await ask(bytes);
      expect(outcome(asked)).to.equal("malformed");
      const { body, signed } = answerOf(asked);
      expect(signed).to.equal(false);
      expect(body.readingHash).to.deep.equal(readingHash(bytes));
    }
  });

  it("is told to wait before its window opens, and refused at its end, to the millisecond", async () => {
    const early = await ask(grid.reading(1, NEXT, 0, 0));
    expect(outcome(early)).to.equal("window-early");
    const { body, signed } = answerOf(early);
    expect(signed).to.equal(true);
    expect(Number(body.now) + body.retryAfterMs).to.equal(grid.window(NEXT).opens);
    const { closes } = grid.window(FIRST);
    const bytes = grid.reading(1, FIRST, 1, 0);
    // Straight to the aggregator, so that no latency blurs the bound.
    const last: Asked = {};
    await grid.run(closes - 1);
    await grid.aggregator(0).handle("reading", bytes, (response) => (last.response = response));
    const late: Asked = {};
    await grid.run(closes);
    await grid.aggregator(0).handle("reading", grid.reading(1, FIRST, 2, 0), (response) => (late.response = response));
    await grid.seconds(2);
    expect([outcome(last), outcome(late)]).to.deep.equal(["accepted", "window-late"]);
    expect(answerOf(late).signed).to.equal(true);
  });

  it("waits for its epoch", async () => {
    const asked = await ask(grid.reading(2, FIRST, 0, 0));
    expect(outcome(asked)).to.equal("no-epoch");
    expect(answerOf(asked).signed).to.equal(false);
    expect(answerOf(asked).body.retryAfterMs).to.equal(60_000);
  });

  it("is refused under a PRID of nobody, of another period and of another region: unsigned, or a flood would buy signatures", async () => {
    const foreign = grid.reading(1, FIRST, 99, 0);
    const secret = grid.secret(1, NEXT, 0, 0);
    const body = readingCodec.encode({ region: 1, period: FIRST, prid: schnorr.publicKey(secret), rc: 1n });
    // Rightly signed for this period, by a key of the next one: the month's one filter of the paper would let it pass.
    const otherPeriod = encodeLeaf(body, grid.sign("reading", body, secret));
    const inRegion2 = readingCodec.decode(grid.reading(2, FIRST, 0, 0).subarray(0, 49));
    const otherBody = readingCodec.encode({ ...inRegion2, region: 1 });
    const otherRegion = encodeLeaf(otherBody, grid.sign("reading", otherBody, grid.secret(2, FIRST, 0, 0)));
    for (const bytes of [foreign, otherPeriod, otherRegion]) {
      const asked = await ask(bytes);
      expect(outcome(asked)).to.equal("unknown-prid");
      expect(answerOf(asked).signed).to.equal(false);
    }
  });

  it("is refused with a bad signature, by a signed answer that names it", async () => {
    const forged = tampered(grid.reading(1, FIRST, 0, 0), 112);
    const asked = await ask(forged, 2);
    expect(outcome(asked)).to.equal("bad-signature");
    const decoded = decodeResponse(asked.response as Uint8Array);
    if (decoded.tag !== "answer") throw new Error("no answer");
    const key = grid.params.da[2]?.key as Uint8Array;
    expect(verifyBody("answer", grid.consortium, decoded.answer, decoded.sig as Uint8Array, key)).to.equal(true);
    expect(answerCodec.decode(decoded.answer)).to.deep.include({
      params: 1,
      da: 2,
      class: 4,
      readingHash: readingHash(forged),
    });
  });

  it("burns no PRID by bytes that were not verified", async () => {
    const good = grid.reading(1, FIRST, 0, 0);
    // Somebody saw it in flight and is first, with another value and with another signature.
    expect(outcome(await ask(tampered(good, 48)))).to.equal("bad-signature");
    expect(outcome(await ask(tampered(good, 100)))).to.equal("bad-signature");
    expect(outcome(await ask(good))).to.equal("accepted");
  });

  it("conflicts with another verified one of its PRID, at this aggregator and through the others", async () => {
    const [first, second] = [grid.reading(1, FIRST, 0, 0, 1n), grid.reading(1, FIRST, 0, 0, 2n)];
    expect(outcome(await ask(first, 0))).to.equal("accepted");
    const here = await ask(second, 0);
    expect(outcome(here)).to.equal("other-reading");
    expect(answerOf(here).body.class).to.equal(5);
    expect(answerOf(here).signed).to.equal(true);
    // The others hold the first one too: they verified it when it was forwarded.
    expect(outcome(await ask(second, 3))).to.equal("other-reading");
  });

  it("may reach two aggregators with two values at once: neither gets more than the acks that there are", async () => {
    const [first, second] = [grid.reading(1, FIRST, 0, 0, 1n), grid.reading(1, FIRST, 0, 0, 2n)];
    const asked = [grid.ask(0, "reading", first), grid.ask(1, "reading", second)];
    await grid.seconds(15);
    const names = asked.map(outcome);
    expect(names.filter((name) => name === "accepted").length).to.be.at.most(1);
    // Every DA acked one of them, and the block has both: the PRID counts nowhere.
    await grid.run(grid.window(FIRST).freezes + 30_000);
    expect((await grid.view.readings(1, FIRST))?.count).to.equal(2);
  });

  it("is taken by the clock of the aggregator, which tells it", async () => {
    const asked = grid.ask(3, "time", new Uint8Array());
    const sent = grid.clock.now();
    await grid.seconds(1);
    const now = decodeTime(asked.response as Uint8Array);
    expect(now - sent).to.be.within(5, 50);
  });

  it("costs the same answers with no memory of verified signatures", async () => {
    const forgetful = await new Grid({ memory: new VerifiedSignatures(0) }).start();
    await forgetful.commitEpoch(1, 4, 5);
    await forgetful.run(forgetful.window(FIRST).opens);
    const asked = forgetful.sendAll(1, FIRST, 5);
    await forgetful.run(forgetful.window(FIRST).freezes + 5_000);
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
    expect(await forgetful.view.readings(1, FIRST)).to.include({ aggFault: false, count: 10 });
  });
});

describe("acks", () => {
  async function gridOf(down: readonly number[]): Promise<Grid> {
    const grid = await new Grid().start();
    await grid.commitEpoch(1, 4, 5);
    for (const da of down) grid.kill(da);
    await grid.run(grid.window(FIRST).opens);
    return grid;
  }

  it("are enough with one of four aggregators down", async () => {
    const grid = await gridOf([3]);
    const asked = grid.sendAll(1, FIRST, 5, [0, 1, 2]);
    await grid.seconds(2);
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
  });

  it("are too few with two down; after `roundSeconds` the meter knows, and tries again when one is back", async () => {
    const grid = await gridOf([2, 3]);
    const bytes = grid.reading(1, FIRST, 0, 0);
    const asked = grid.ask(0, "reading", bytes);
    await grid.seconds(9);
    expect(outcome(asked)).to.equal("none");
    await grid.seconds(3);
    expect(outcome(asked)).to.equal("too-few-acks");
    expect(answerOf(asked).body.class).to.equal(3);
    await grid.boot(2);
    const again = grid.ask(1, "reading", bytes);
    await grid.seconds(2);
    expect(outcome(again)).to.equal("accepted");
  });

  it("come when a bundle leaves at the window's end, however long it is open", async () => {
    const slow = { bundleMs: 3_600_000 };
    const grid = await new Grid({ aggregators: { 0: slow } }).start();
    await grid.commitEpoch(1, 4, 5);
    const { opens, closes } = grid.window(FIRST);
    await grid.run(opens);
    const asked = grid.ask(0, "reading", grid.reading(1, FIRST, 0, 0));
    await grid.run(closes - 1);
    expect(outcome(asked)).to.equal("none");
    await grid.seconds(2);
    expect(outcome(asked)).to.equal("accepted");
  });

  it("do not come from forged, foreign or misplaced ones", async () => {
    const grid = await gridOf([]);
    // Every ack on its way to da/0 is spoilt, each DA's in its own way.
    grid.network.drop(({ method, direction, to, from, bytes }) => {
      if (method !== "forward" || direction !== "response" || to !== "da/Da0") return false;
      // Bytes: tag, length of Ack ‖ sig, Ack (params 2, da 1, region 2, period 6, count 2, root 32), sig, bits.
      const at = { "da/Da1": 4, "da/Da2": 2 + 13, "da/Da3": 2 + 45 }[from] as number;
      bytes[at] = (bytes[at] as number) ^ 1;
      return false;
    });
    const asked = grid.ask(0, "reading", grid.reading(1, FIRST, 0, 0));
    await grid.seconds(12);
    expect(outcome(asked)).to.equal("too-few-acks");
  });

  it("of a part of a bundle count for that part", async () => {
    const grid = await gridOf([3]);
    // da/1 has acked another reading of meter 0 before, unheard by da/0 and da/2.
    const lift = grid.network.drop(({ method, from }) => method === "forward" && from === "da/Da1");
    grid.ask(1, "reading", grid.reading(1, FIRST, 0, 0, 7n));
    await grid.seconds(1);
    lift();
    const asked = [0, 1, 2].map((meter) => grid.ask(0, "reading", grid.reading(1, FIRST, meter, 0)));
    await grid.seconds(12);
    expect(asked.map(outcome)).to.deep.equal(["too-few-acks", "accepted", "accepted"]);
  });
});
