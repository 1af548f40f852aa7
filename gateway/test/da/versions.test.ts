import { expect } from "chai";
import {
  KIND,
  addPeriods,
  decodeParamsProofs,
  decodeVotes,
  encodeParamsWish,
  isVeilgridError,
  quorum,
  receiptVersion,
  schnorr,
  verifyReceiptOf,
  verifyVersions,
  type Params,
  type Period,
} from "@veilgrid/protocol";
import { decodeResponse, encodeTransaction } from "../../src/transport/envelopes.js";
import { secretOf } from "../support/committee.js";
import { FIRST, Grid, outcome, outcomes } from "./grid.js";

const PERIODS = 4;
const METERS = 5;

function at(k: number): Period {
  return addPeriods(FIRST, k, 1800);
}

function keyOf(name: string): Uint8Array {
  return schnorr.publicKey(secretOf(name));
}

/** A grid whose first epoch, of version 1, is committed. */
async function epochGrid(): Promise<Grid> {
  const grid = await new Grid().start();
  await grid.commitEpoch(1, PERIODS, METERS);
  return grid;
}

/** The period's readings to all who sit there, its block, and how the readings were answered. */
async function meter(grid: Grid, period: Period, to?: readonly number[]): Promise<Record<string, number>> {
  await grid.run(grid.window(period).opens);
  const asked = grid.sendAll(1, period, METERS, to);
  await grid.until(async () => (await grid.view.readings(1, period)) !== undefined, 3600);
  return outcomes(asked);
}

async function headerOf(grid: Grid, period: Period): Promise<{ params: number; count: number; aggFault: boolean }> {
  const record = await grid.view.readings(1, period);
  const { header } = (await grid.view.header(1, record?.number ?? 0n)) ?? {};
  if (header === undefined) throw new Error("no block");
  return { params: header.params, count: header.count, aggFault: header.aggFault };
}

async function current(grid: Grid): Promise<Params> {
  return grid.view.currentParams();
}

describe("an aggregator's approval", () => {
  it("survives its process, may be another one, and may be taken back", async () => {
    const grid = await epochGrid();
    const first = await grid.successor([{ what: "set", values: { roundSeconds: 5 } }]);
    const second = await grid.successor([{ what: "set", values: { roundSeconds: 6 } }]);
    for (const da of [0, 1]) await grid.aggregator(da).approveParams(first);
    grid.kill(0);
    await grid.boot(0);
    expect(grid.aggregator(0).approvedParams).to.deep.equal(first);
    // Q of them have approved something, but not the same.
    await grid.aggregator(2).approveParams(second);
    await grid.seconds(45);
    expect((await current(grid)).version).to.equal(1);
    for (const da of [0, 1]) await grid.aggregator(da).approveParams(second);
    expect(await grid.aggregator(1).withdrawParams(2)).to.equal(true);
    expect(await grid.aggregator(1).withdrawParams(2)).to.equal(false);
    await grid.seconds(45);
    expect((await current(grid)).version).to.equal(1);
    expect(grid.aggregator(1).standing.busy).to.equal(false);
    await grid.adopt(second, [1]);
    expect((await current(grid)).roundSeconds).to.equal(6);
    for (const da of [0, 1, 2, 3]) expect(grid.aggregator(da).approvedParams).to.equal(undefined);
  });

  it("is refused for what the ledger would refuse, with nothing changed", async () => {
    const grid = await epochGrid();
    const leaf = await grid.successor([{ what: "rotate-da", msp: "Da1", key: keyOf("new") }], [secretOf("new")]);
    const forged = leaf.slice();
    forged[forged.length - 1] = (forged.at(-1) as number) ^ 1;
    for (const bad of [forged, leaf.slice(0, -64)]) {
      const error = await grid
        .aggregator(0)
        .approveParams(bad)
        .then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
      expect(isVeilgridError(error) && error.code).to.equal("missing-possession");
    }
    expect(await grid.store(0).range("pending/")).to.deep.equal([]);
  });
});

describe("an aggregator's key", () => {
  it("is replaced while its periods go on: the old one acks and votes to their end, the new one from then on", async () => {
    const grid = await epochGrid();
    expect(await meter(grid, at(0))).to.deep.equal({ accepted: 10 });
    const leader = await grid.leader();
    // The leader's own key: its leadership ends with it.
    const leaf = await grid.successor(
      [{ what: "rotate-da", msp: `Da${leader}`, key: keyOf("new") }],
      [secretOf("new")],
    );
    grid.kill(leader);
    await grid.boot(leader, { otherSecrets: [secretOf("new")] });
    await grid.adopt(leaf, [0, 1, 2, 3]);
    expect(await grid.leader()).to.equal(-1);
    const v2 = await current(grid);
    const v1 = grid.params;
    // Version 1's periods: acks and votes by the old key.
    expect(await meter(grid, at(1), [leader])).to.deep.equal({ accepted: 10 });
    expect(await headerOf(grid, at(1))).to.deep.equal({ params: 1, count: 10, aggFault: false });
    expect((await grid.view.term()).term).to.equal(2n);
    await grid.commitEpoch(1, 2, METERS, at(PERIODS), v2);
    for (const k of [2, 3]) await meter(grid, at(k));
    // Version 2's: by the new one.
    await grid.run(grid.window(at(4)).opens);
    const bytes = grid.reading(1, at(4), 0, 0);
    const asked = grid.ask(leader, "reading", bytes);
    await grid.seconds(2);
    expect(outcome(asked)).to.equal("accepted");
    const receipt = (asked.response as Uint8Array).slice(1);
    expect(receiptVersion(receipt)).to.equal(2);
    expect(verifyReceiptOf(grid.consortium, v2, receipt, bytes)).to.have.length(3);
    expect(() => verifyReceiptOf(grid.consortium, v1, receipt, bytes)).to.throw();
    await grid.until(async () => (await grid.view.readings(1, at(4))) !== undefined, 3600);
    expect(await headerOf(grid, at(4))).to.deep.equal({ params: 2, count: 1, aggFault: true });
  });

  it("is not used by a process that lacks the new one: it is then as good as down", async () => {
    const grid = await epochGrid();
    const leaf = await grid.successor([{ what: "rotate-da", msp: "Da3", key: keyOf("new") }], [secretOf("new")]);
    await grid.adopt(leaf, [0, 1, 2]);
    await grid.commitEpoch(1, 1, METERS, at(PERIODS), await current(grid));
    for (let k = 0; k < PERIODS; k += 1) await meter(grid, at(k), [0, 1, 2]);
    await grid.run(grid.window(at(4)).opens);
    const asked = [0, 3].map((da) => grid.ask(da, "reading", grid.reading(1, at(4), 0, da === 0 ? 0 : 1)));
    await grid.seconds(2);
    // It retired when the last period of its old key had its block.
    expect(asked.map(outcome)).to.deep.equal(["accepted", "none"]);
  });
});

describe("an aggregator that joins", () => {
  async function joined(): Promise<Grid> {
    const grid = await epochGrid();
    await meter(grid, at(0));
    const seat = grid.seat();
    await grid.boot(seat);
    const leaf = await grid.successor([{ what: "add-da", msp: "Da4", key: keyOf("da4") }], [secretOf("da4")]);
    await grid.adopt(leaf, [0, 1, 2]);
    return grid;
  }

  it("votes by the next epoch, whose quorum is the greater one", async () => {
    const grid = await joined();
    const v2 = await current(grid);
    expect(quorum(v2.da.length)).to.equal(4);
    await grid.commitEpoch(1, 2, METERS, at(PERIODS), v2);
    // Of a period of the version before it answers for nobody.
    await grid.run(grid.window(at(1)).opens);
    const refused = grid.ask(4, "reading", grid.reading(1, at(1), 0, 0));
    await grid.seconds(1);
    expect(outcome(refused)).to.equal("unknown-params");
    for (const k of [1, 2, 3]) await meter(grid, at(k), [0, 1, 2, 3]);
    expect(await meter(grid, at(4), [4])).to.deep.equal({ accepted: 10 });
    const record = await grid.view.readings(1, at(4));
    const cert = (await grid.view.header(1, record?.number ?? 0n))?.cert ?? new Uint8Array();
    expect(decodeVotes(cert, 4)).to.have.length(4);
    // One of five may be down, two may not.
    grid.kill(2);
    expect(await meter(grid, at(5), [0, 1, 3, 4])).to.deep.equal({ accepted: 10 });
  });

  it("leads the periods of the version before it, with the others' lists and readings", async () => {
    const grid = await joined();
    // Whoever else leads stalls, until the newcomer does.
    grid.network.drop(
      ({ method, from, direction }) => method === "propose" && direction === "request" && from !== "da/Da4",
    );
    await grid.run(grid.window(at(1)).opens);
    const asked = grid.sendAll(1, at(1), METERS, [0, 1, 2, 3]);
    await grid.until(async () => (await grid.view.readings(1, at(1))) !== undefined, 3600);
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
    expect(await grid.leader()).to.equal(4);
    expect(await headerOf(grid, at(1))).to.deep.equal({ params: 1, count: 10, aggFault: false });
  });
});

describe("an aggregator that is removed", () => {
  async function five(): Promise<Grid> {
    const grid = await epochGrid();
    grid.seat();
    await grid.boot(4);
    const leaf = await grid.successor([{ what: "add-da", msp: "Da4", key: keyOf("da4") }], [secretOf("da4")]);
    await grid.adopt(leaf, [0, 1, 2]);
    return grid;
  }

  it("serves until the blocks of its epochs are in, and then stops", async () => {
    const grid = await five();
    const retired: number[] = [];
    grid.kill(0);
    await grid.boot(0, { onRetired: () => retired.push(0) });
    await grid.adopt(await grid.successor([{ what: "remove-da", msp: "Da0" }]), [1, 2, 3, 4]);
    // The indices of all others have moved.
    const v3 = await current(grid);
    expect(v3.da.map(({ msp }) => msp)).to.deep.equal(["Da1", "Da2", "Da3", "Da4"]);
    expect(await meter(grid, at(0), [0])).to.deep.equal({ accepted: 10 });
    await grid.commitEpoch(1, 2, METERS, at(PERIODS), v3);
    for (const k of [1, 2]) expect(await meter(grid, at(k), [0, 1, 2, 3])).to.deep.equal({ accepted: 10 });
    expect(retired).to.deep.equal([]);
    await meter(grid, at(3), [0, 1, 2, 3]);
    await grid.seconds(1);
    expect(retired).to.deep.equal([0]);
    expect(await meter(grid, at(4), [1, 2, 3, 4])).to.deep.equal({ accepted: 10 });
    expect(await headerOf(grid, at(4))).to.deep.equal({ params: 3, count: 10, aggFault: false });
    // Started again it has nothing to do either.
    grid.kill(0);
    await grid.boot(0, { onRetired: () => retired.push(0) });
    expect(retired).to.deep.equal([0, 0]);
    const asked = grid.ask(0, "time", new Uint8Array());
    await grid.seconds(1);
    expect(outcome(asked)).to.equal("none");
  });

  it("leads no more from the block on that removes it", async () => {
    const grid = await five();
    await meter(grid, at(0), [0, 1, 2, 3]);
    const leader = await grid.leader();
    await grid.adopt(await grid.successor([{ what: "remove-da", msp: `Da${leader}` }]), [0, 1, 2, 3, 4]);
    expect(await grid.leader()).to.equal(-1);
    expect(await meter(grid, at(1), [0, 1, 2, 3])).to.deep.equal({ accepted: 10 });
    expect(await grid.leader()).to.not.be.oneOf([-1, leader]);
  });
});

describe("versions that an aggregator serves", () => {
  it("are proved from any version on, by the votes of the one before", async () => {
    const grid = await epochGrid();
    for (const roundSeconds of [5, 6, 7]) {
      await grid.adopt(await grid.successor([{ what: "set", values: { roundSeconds } }]), [0, 1, 2, 3]);
    }
    const served = async (known: number): Promise<ReturnType<typeof decodeParamsProofs>> => {
      const asked = grid.ask(2, "params", encodeParamsWish(known));
      await grid.seconds(1);
      const response = decodeResponse(asked.response as Uint8Array);
      return response.tag === "accepted" ? decodeParamsProofs(response.body) : [];
    };
    const proofs = await served(1);
    const versions = verifyVersions(grid.consortium, grid.params, proofs);
    expect(versions.map(({ params }) => [params.version, params.roundSeconds])).to.deep.equal([
      [2, 5],
      [3, 6],
      [4, 7],
    ]);
    expect(await served(3)).to.deep.equal(proofs.slice(2));
    expect(await served(4)).to.deep.equal([]);
    // No version is left out, none comes twice, and no vote is missing.
    const [two, three] = proofs as [(typeof proofs)[0], (typeof proofs)[0]];
    for (const bad of [[three], [two, two], [{ ...two, cert: two.cert.slice(0, two.cert.length / 3) }]]) {
      expect(() => verifyVersions(grid.consortium, grid.params, bad)).to.throw();
    }
    expect(() => verifyVersions(new Uint8Array(32), grid.params, proofs)).to.throw();
    const spoilt = two.block.slice();
    spoilt[spoilt.length - 1] = (spoilt.at(-1) as number) ^ 1;
    expect(() => verifyVersions(grid.consortium, grid.params, [{ ...two, block: spoilt }])).to.throw();
    const malformed = grid.ask(2, "params", new Uint8Array(3));
    await grid.seconds(1);
    expect(outcome(malformed)).to.equal("malformed");
  });

  it("are not taken from the network without the operators' word", async () => {
    const grid = await epochGrid();
    const leaf = await grid.successor([{ what: "set", values: { roundSeconds: 5 } }]);
    const asked = grid.all("transaction", encodeTransaction({ kind: KIND.params, leaf }));
    await grid.seconds(60);
    expect(outcomes(asked)).to.deep.equal({ "bad-block": 4 });
    expect((await current(grid)).version).to.equal(1);
  });
});
