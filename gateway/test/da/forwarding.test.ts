import { expect } from "chai";
import { ackCodec, compareBytes, decodeSigned, merkleRoot, readingHash } from "@veilgrid/protocol";
import { decodeBundleAck, decodeResponse, encodeBundle, type BundleAck } from "../../src/transport/envelopes.js";
import { FIRST, Grid, outcome, type Asked } from "./grid.js";

const NEXT = { month: FIRST.month, k: FIRST.k + 1 };

function ascending(readings: readonly Uint8Array[]): Uint8Array[] {
  return [...readings].sort((a, b) => compareBytes(readingHash(a), readingHash(b)));
}

describe("a forwarded bundle", () => {
  let grid: Grid;
  beforeEach(async () => {
    grid = await new Grid().start();
    await grid.commitEpoch(1, 4, 5);
    await grid.run(grid.window(FIRST).opens);
  });

  async function forward(readings: readonly Uint8Array[], da = 1): Promise<Asked> {
    const asked = grid.ask(da, "forward", encodeBundle(readings), "da/Da0");
    await grid.seconds(1);
    return asked;
  }

  function ackIn({ response }: Asked, count: number): BundleAck {
    const decoded = decodeResponse(response as Uint8Array);
    if (decoded.tag !== "accepted") throw new Error("no ack");
    return decodeBundleAck(decoded.body, count);
  }

  it("is acked once, over the ascending hashes of what was accepted", async () => {
    const good = [0, 1, 2].map((meter) => grid.reading(1, FIRST, meter, 0));
    const forged = grid.reading(1, FIRST, 3, 0);
    forged[112] = (forged[112] as number) ^ 1;
    const bundle = ascending([...good, forged, grid.reading(1, FIRST, 77, 0)]);
    const { ack, accepted } = ackIn(await forward(bundle), 5);
    const { body } = decodeSigned(ackCodec, ack);
    const taken = bundle.filter((_, i) => accepted[i]);
    expect(taken).to.have.deep.members(good);
    expect(body).to.deep.equal({
      params: 1,
      da: 1,
      region: 1,
      period: FIRST,
      count: 3,
      root: merkleRoot(taken.map((reading) => readingHash(reading))),
    });
  });

  it("is acked the same when it comes again, and stored once", async () => {
    const bundle = ascending([0, 1].map((meter) => grid.reading(1, FIRST, meter, 0)));
    const first = await forward(bundle);
    const size = await grid.stored(1);
    expect((await forward(bundle)).response).to.deep.equal(first.response);
    expect(await grid.stored(1)).to.equal(size);
  });

  it("is on disk before its ack: a DA that was killed after it puts the readings into its block", async () => {
    const bundle = ascending([0, 1].map((meter) => grid.reading(1, FIRST, meter, 0)));
    // Only da/1 and two others hold them; the DA they were sent to never does.
    for (const da of [1, 2, 3]) await forward(bundle, da);
    for (const da of [1, 2, 3]) grid.kill(da);
    for (const da of [1, 2, 3]) await grid.boot(da);
    await grid.run(grid.window(FIRST).freezes + 60_000);
    expect((await grid.view.readings(1, FIRST))?.count).to.equal(2);
  });

  it("is refused as a whole if it is malformed: nothing, unsorted, twice the same, of two periods, cut", async () => {
    const [a, b] = ascending([0, 1].map((meter) => grid.reading(1, FIRST, meter, 0))) as [Uint8Array, Uint8Array];
    const other = grid.reading(1, NEXT, 0, 0);
    for (const bundle of [[], [b, a], [a, a], ascending([a, other]), [a.slice(1)]]) {
      expect(outcome(await forward(bundle))).to.equal("malformed");
    }
  });

  it("gets an answer where nothing of it was accepted", async () => {
    const forged = grid.reading(1, FIRST, 3, 0);
    forged[112] = (forged[112] as number) ^ 1;
    expect(outcome(await forward([forged]))).to.equal("bad-signature");
    expect(outcome(await forward([grid.reading(1, FIRST, 77, 0)]))).to.equal("unknown-prid");
    expect(outcome(await forward([grid.reading(2, FIRST, 0, 0)]))).to.equal("no-epoch");
    await forward([grid.reading(1, FIRST, 0, 0, 1n)]);
    expect(outcome(await forward([grid.reading(1, FIRST, 0, 0, 2n)]))).to.equal("other-reading");
  });

  it("is acked until the period is frozen, and never after", async () => {
    const { closes, freezes } = grid.window(FIRST);
    await grid.run(closes + 1);
    ackIn(await forward([grid.reading(1, FIRST, 0, 0)]), 1);
    await grid.run(freezes - 2_000);
    ackIn(await forward([grid.reading(1, FIRST, 1, 0)]), 1);
    await grid.run(freezes);
    expect(outcome(await forward([grid.reading(1, FIRST, 2, 0)]))).to.equal("window-late");
    // Nor after a restart whose clock is behind: the mark is on disk.
    grid.kill(1);
    await grid.boot(1);
    expect(outcome(await forward([grid.reading(1, FIRST, 2, 0)]))).to.equal("window-late");
  });
});
