import { expect } from "chai";
import { verifyReceiptOf } from "@veilgrid/protocol";
import { decodeResponse } from "../../src/transport/envelopes.js";
import { FIRST, Grid, outcomes } from "./grid.js";

describe("four aggregators", () => {
  it("elect a leader, commit the epoch, receipt all readings and commit their block", async () => {
    const grid = await new Grid().start();
    await grid.commitEpoch();
    const { opens, freezes } = grid.window(FIRST);
    await grid.run(opens);
    const asked = grid.sendAll(1, FIRST, 5);
    await grid.seconds(5);
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
    const first = decodeResponse(asked[0]?.response as Uint8Array);
    if (first.tag !== "accepted") throw new Error("no receipt");
    const signed = grid.reading(1, FIRST, 0, 0);
    expect(verifyReceiptOf(grid.consortium, grid.params, first.body, signed)).to.have.length(3);
    await grid.run(freezes + 5_000);
    const block = await grid.view.readings(1, FIRST);
    expect(block).to.include({ number: 2n, aggFault: false, count: 10 });
  });
});
