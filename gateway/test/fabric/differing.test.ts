import { status } from "@grpc/grpc-js";
import { expect } from "chai";
import { failure, notes } from "../ledger/conformance.js";
import { FakeChannel, gatewayError, OVERDUE, refusalOf } from "./fakes.js";
import { txId } from "./forge.js";

const CALL = notes("put", "a", "1");
const MISMATCH = gatewayError(status.ABORTED, {
  DA1MSP: "ProposalResponsePayloads do not match (base64): 'x' vs 'y'",
});

describe("organisations that do not agree", () => {
  let channel: FakeChannel;

  beforeEach(() => {
    channel = new FakeChannel();
  });

  function differing(): unknown[] {
    return channel.said.filter(([event]) => event === "organisation-differs").map(([, facts]) => facts.organisations);
  }

  /** Who endorsed the last transaction that was sent; its signature is "by" the caller. */
  function endorsers(): string[] {
    return (
      Buffer.from(channel.sent.at(-1) ?? [])
        .toString("latin1")
        .match(/(?<!by )DA\dMSP/g) ?? []
    );
  }

  it("make a transaction of those that do, if they are enough, and the one that differs is named", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.at("DA0MSP").opinion = "a lie";
    channel.at("DA0MSP").fails("endorse", MISMATCH);
    expect((await client.submit(CALL)).txId).to.equal(txId(1));
    expect(differing()).to.deep.equal(["DA0MSP"]);
    expect(endorsers()).to.deep.equal(["DA1MSP", "DA2MSP", "DA3MSP"]);
  });

  it("are asked each through its own gateway, so that none speaks for another", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.at("DA0MSP").fails("endorse", MISMATCH);
    await client.submit(CALL);
    const asked = ["DA0MSP endorse", "DA1MSP endorse", "DA2MSP endorse", "DA3MSP endorse"];
    expect(channel.trace.slice(0, 5)).to.deep.equal(["DA0MSP endorse", ...asked]);
  });

  it("are not named where they agree a moment later", async () => {
    const { client } = await channel.client("DA0MSP");
    const late = channel.at("DA3MSP");
    channel.at("DA0MSP").fails("endorse", MISMATCH);
    late.fails("endorse", refusalOf({ DA3MSP: "wrong-prev" }), undefined);
    await client.submit(CALL);
    expect(differing()).to.deep.equal([]);
    expect(channel.time.pauses).to.deep.equal([200]);
    expect(endorsers()).to.deep.equal(["DA0MSP", "DA1MSP", "DA2MSP", "DA3MSP"]);
  });

  it("are waited for where a refusal may come of being behind", async () => {
    const { client } = await channel.client("DA0MSP");
    const behind = refusalOf({ DA0MSP: "wrong-prev" });
    channel.at("DA0MSP").fails("endorse", behind, behind, behind);
    channel.at("DA1MSP").fails("endorse", behind, behind);
    await client.submit(CALL);
    expect(channel.time.pauses).to.deep.equal([200, 400]);
    expect(differing()).to.deep.equal([]);
  });

  it("refuse together what one would do: its own word is not enough, nor is its silence", async () => {
    const { client } = await channel.client("DA3MSP");
    for (const msp of ["DA0MSP", "DA1MSP"]) channel.at(msp).opinion = refusalOf({ [msp]: "too-late" });
    channel.at("DA2MSP").fails("endorse", ...new Array<Error>(9).fill(OVERDUE));
    channel.at("DA3MSP").fails("endorse", refusalOf({ DA0MSP: "too-late" }));
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("endorse-refused");
    expect(error.facts).to.deep.equal({ contract: "too-late", differs: "DA3MSP" });
    expect(differing()).to.deep.equal(["DA3MSP"]);
  });

  it("refuse at once what all refuse, in the contract's own words", async () => {
    const { client } = await channel.client("CCMSP");
    for (const gateway of channel.gateways) gateway.opinion = refusalOf({ [gateway.msp]: "too-late" });
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("endorse-refused");
    expect(error.facts).to.deep.equal({ contract: "too-late" });
    expect(channel.time.pauses).to.deep.equal([]);
  });

  it("cannot make one refuse for all", async () => {
    const { client } = await channel.client("DA1MSP");
    channel.at("DA1MSP").opinion = refusalOf({ DA1MSP: "sulking" });
    await client.submit(CALL);
    expect(differing()).to.deep.equal(["DA1MSP"]);
    expect(endorsers()).to.deep.equal(["DA0MSP", "DA2MSP", "DA3MSP"]);
  });

  it("commit nothing where no quorum agrees, and everybody's opinion is told", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.at("DA0MSP").fails("endorse", MISMATCH);
    for (const [i, gateway] of channel.gateways.entries()) gateway.opinion = i < 2 ? "one" : "other";
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("endorse-differs");
    expect(error.facts).to.include({ phase: "endorse", differs: "DA0MSP,DA1MSP,DA2MSP,DA3MSP", needed: 3 });
    expect(error.facts.opinions).to.match(/^DA0MSP: result ([0-9a-f]{64}); DA1MSP: result \1; DA2MSP: result /);
    expect(channel.sent).to.deep.equal([]);
  });

  it("are too few where the others do not answer", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.at("DA0MSP").fails("endorse", MISMATCH);
    channel.at("DA1MSP").opinion = "a lie";
    for (const msp of ["DA2MSP", "DA3MSP"]) channel.at(msp).fails("endorse", ...new Array<Error>(9).fill(OVERDUE));
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("ledger-unavailable");
    expect(error.retry).to.equal(true);
  });
});
