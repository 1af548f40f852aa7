import { status } from "@grpc/grpc-js";
import { utf8 } from "@veilgrid/protocol";
import { expect } from "chai";
import { failure, notes } from "../ledger/conformance.js";
import { FakeChannel, gatewayError, OVERDUE, refusalOf, UNAVAILABLE } from "./fakes.js";
import { txId } from "./forge.js";

const CALL = notes("increment", "n");

describe("submitting to a channel", () => {
  let channel: FakeChannel;

  beforeEach(() => {
    channel = new FakeChannel();
  });

  async function pending(): Promise<number> {
    return (await channel.store.range("")).length;
  }

  it("goes through the caller's own gateway, and leaves nothing in the journal", async () => {
    const { client } = await channel.client("DA2MSP");
    const committed = await client.submit(CALL);
    expect(committed).to.deep.equal({ txId: txId(1), blockNumber: 0n, result: utf8("answer") });
    expect(channel.trace).to.deep.equal(["DA2MSP endorse", "DA2MSP order", "DA2MSP outcome"]);
    expect(await pending()).to.equal(0);
  });

  it("has the transaction on disk before it is sent", async () => {
    const { client } = await channel.client("DA2MSP");
    const writes: number[] = [];
    const order = channel.order.bind(channel);
    channel.order = (transaction) => {
      writes.push([...channel.trace].length);
      expect(channel.store.get(`pending/${txId(1)}`), "written before").not.to.equal(undefined);
      order(transaction);
    };
    await client.submit(CALL);
    expect(writes).to.deep.equal([2]);
  });

  it("does not have an organisation endorse that does not", async () => {
    const { client } = await channel.client("KGCBPMSP");
    await client.submit(CALL);
    expect(channel.trace).to.deep.equal(["DA0MSP endorse", "KGCBPMSP order", "KGCBPMSP outcome"]);
  });

  it("goes to another gateway in any phase, and leaves one that failed for last", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.at("DA0MSP").fails("endorse", UNAVAILABLE);
    channel.at("DA1MSP").fails("order", UNAVAILABLE);
    await client.submit(CALL);
    expect(channel.trace).to.deep.equal([
      "DA0MSP endorse",
      "DA1MSP endorse",
      "DA1MSP order",
      "DA2MSP order",
      "DA2MSP outcome",
    ]);
    channel.trace.splice(0);
    await client.submit(CALL);
    expect(channel.trace[0]).to.equal("DA2MSP endorse");
    await channel.time.wait(60_000);
    channel.trace.splice(0);
    await client.submit(CALL);
    expect(channel.trace.at(-1)).to.equal("DA0MSP outcome");
  });

  it("does not have a gateway wait for an organisation that failed lately, unless the others fail too", async () => {
    const { client } = await channel.client("DA0MSP");
    const da0 = channel.at("DA0MSP");
    await client.submit(CALL);
    expect(da0.asked).to.equal(undefined);
    const { client: da2 } = await channel.client("DA2MSP");
    channel.at("DA2MSP").fails("endorse", OVERDUE);
    await da2.submit(CALL);
    expect(da0.asked).to.deep.equal(["DA0MSP", "DA1MSP", "DA3MSP"]);
    da0.fails("endorse", UNAVAILABLE);
    await da2.submit(CALL);
    expect(da0.asked).to.equal(undefined);
    await channel.time.wait(60_000);
    await da2.submit(CALL);
    expect(channel.at("DA2MSP").asked).to.equal(undefined);
  });

  it("asks an organisation last that a gateway waited for in vain, and says so", async () => {
    const { client } = await channel.client("DA0MSP");
    const da0 = channel.at("DA0MSP");
    da0.takes("endorse", 4999);
    await client.submit(CALL);
    expect(channel.said).to.deep.equal([]);
    // The others, DA0MSP to DA2MSP, endorsed it.
    da0.takes("endorse", 5000);
    await client.submit(CALL);
    expect(channel.said).to.deep.equal([["endorsed-slowly", { gateway: "DA0MSP", without: "DA3MSP", seconds: "5.0" }]]);
    await client.submit(CALL);
    expect(da0.asked).to.deep.equal(["DA0MSP", "DA1MSP", "DA2MSP"]);
    expect(channel.said).to.have.length(1);
    await channel.time.wait(60_000);
    await client.submit(CALL);
    expect(da0.asked).to.equal(undefined);
  });

  it("says how long a commit took that took long", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.at("DA0MSP").takes("outcome", 3999);
    await client.submit(CALL);
    expect(channel.said).to.deep.equal([]);
    channel.at("DA0MSP").takes("outcome", 11_300);
    await client.submit(CALL);
    expect(channel.said).to.deep.equal([["committed-slowly", { txId: txId(2), seconds: "11.3" }]]);
  });

  it("looks a transaction up whose commit it did not see, and sends nothing more where it is there", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.at("DA0MSP").fails("outcome", OVERDUE);
    await client.submit(CALL);
    expect(channel.trace.slice(2)).to.deep.equal(["DA0MSP outcome", "DA1MSP lookUp"]);
    expect(channel.sent).to.have.length(1);
  });

  it("sends the same bytes again where it is not there", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.verdicts.push("lost", "VALID");
    const { txId: id } = await client.submit(CALL);
    expect(id).to.equal(txId(1));
    expect(channel.sent).to.have.length(2);
    expect(channel.sent[1]).to.deep.equal(channel.sent[0]);
    expect(channel.trace.filter((call) => call.endsWith("endorse"))).to.have.length(1);
  });

  it("takes orderers that have it already for having taken it", async () => {
    const { client } = await channel.client("DA0MSP");
    const details = { DA1OrdererMSP: "received unsuccessful response: SERVICE_UNAVAILABLE, request already processed" };
    const order = channel.order.bind(channel);
    channel.at("DA0MSP").order = (transaction) => {
      order(transaction);
      return Promise.reject(gatewayError(status.UNAVAILABLE, details));
    };
    await client.submit(CALL);
    expect(channel.sent).to.have.length(1);
  });

  it("endorses anew what another transaction overtook, up to a bound", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.verdicts.push("MVCC_READ_CONFLICT", "PHANTOM_READ_CONFLICT");
    expect((await client.submit(CALL)).txId).to.equal(txId(3));
    channel.verdicts.push(...new Array<string>(20).fill("MVCC_READ_CONFLICT"));
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("mvcc-conflict");
    expect(error.retry).to.equal(true);
    expect(channel.sent).to.have.length(3 + 9);
    expect(await pending()).to.equal(0);
  });

  it("tells of a verdict that another try would not change", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.verdicts.push("ENDORSEMENT_POLICY_FAILURE");
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("transaction-invalid");
    expect(error.facts).to.include({ phase: "commit", validation: "ENDORSEMENT_POLICY_FAILURE", txId: txId(1) });
  });

  it("gives up by its deadline, with growing pauses, and keeps what may be committed", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.verdicts.push(...new Array<string>(1000).fill("lost"));
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("ledger-unavailable");
    expect(error.retry).to.equal(true);
    expect(error.facts).to.include({ phase: "commit", txId: txId(1) });
    expect(channel.time.pauses.slice(0, 6)).to.deep.equal([100, 200, 400, 800, 1600, 2000]);
    expect(channel.time.now()).to.be.within(110_000, 120_000);
    expect(new Set(channel.sent.map((bytes) => Buffer.from(bytes).toString("hex"))).size).to.equal(1);
    expect(await pending()).to.equal(1);
  });

  it("takes up a transaction of the same call whose outcome is unknown, instead of making another", async () => {
    const { client } = await channel.client("DA0MSP");
    channel.verdicts.push(...new Array<string>(1000).fill("lost"));
    await failure(client.submit(CALL));
    channel.verdicts.splice(0);
    expect((await client.submit(notes("increment", "other"))).txId).to.equal(txId(2));
    expect((await client.submit(CALL)).txId).to.equal(txId(1));
    expect(await pending()).to.equal(0);
    expect((await client.submit(CALL)).txId).to.equal(txId(3));
  });

  it("endorses nothing and throws nothing away while no gateway is there", async () => {
    const { client } = await channel.client("CCMSP");
    for (const gateway of channel.gateways) gateway.fails("endorse", ...new Array<Error>(1000).fill(UNAVAILABLE));
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("ledger-unavailable");
    expect(error.facts).to.include({ phase: "endorse", gateway: "DA0MSP" }).and.not.have.property("txId");
    expect(await pending()).to.equal(0);
  });

  it("throws away what no orderer takes", async () => {
    const { client } = await channel.client("DA0MSP");
    const details = { DA0OrdererMSP: "message payload is 9000000 bytes and exceeds maximum allowed 8388608 bytes" };
    channel.at("DA0MSP").fails("order", gatewayError(status.UNAVAILABLE, details));
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("too-large");
    expect(error.facts).to.include({ phase: "submit", gateway: "DA0MSP" });
    expect(await pending()).to.equal(0);
  });

  it("keeps what one gateway may have passed on, though another refuses", async () => {
    const { client } = await channel.client("DA0MSP");
    const denied = gatewayError(status.ABORTED, { DA1MSP: "access denied: channel [c] creator org [DA0MSP]" });
    channel.at("DA0MSP").fails("order", OVERDUE);
    for (const msp of ["DA1MSP", "DA2MSP", "DA3MSP"]) channel.at(msp).fails("order", denied);
    expect((await failure(client.submit(CALL))).code).to.equal("access-refused");
    expect(await pending()).to.equal(1);
  });

  it("asks the next gateway where one does not know the caller, and refuses where all say so", async () => {
    const { client } = await channel.client("DA0MSP");
    const denied = gatewayError(status.ABORTED, { DA0MSP: "access denied: channel [c] creator org [DA0MSP]" });
    channel.at("DA0MSP").fails("endorse", denied);
    await client.submit(CALL);
    for (const gateway of channel.gateways) gateway.fails("endorse", denied);
    const error = await failure(client.submit(CALL));
    expect(error.code).to.equal("access-refused");
    expect(error.facts).to.include({ phase: "endorse", gateway: "DA0MSP", caller: "DA0MSP" });
  });

  it("has the effect read by who asks another peer next", async () => {
    const { client } = await channel.client("DA0MSP");
    await client.submit(CALL);
    channel.at("DA0MSP").fails("evaluate", UNAVAILABLE);
    channel.trace.splice(0);
    await client.evaluate(CALL);
    await client.evaluate(CALL);
    expect(channel.trace).to.deep.equal(["DA0MSP evaluate", "DA1MSP outcome", "DA1MSP evaluate", "DA1MSP evaluate"]);
  });

  it("passes a query's refusal on without asking others", async () => {
    const { client } = await channel.client("KGCBPMSP");
    channel.at("KGCBPMSP").opinion = refusalOf({ KGCBPMSP: "unknown-block" });
    const error = await failure(client.evaluate(CALL));
    expect(error.code).to.equal("endorse-refused");
    expect(error.facts).to.deep.equal({ contract: "unknown-block" });
    expect(channel.trace).to.deep.equal(["KGCBPMSP evaluate"]);
  });

  it("has committed what it has committed, though the copy does not get there", async () => {
    const { client } = await channel.client("DA0MSP", { reached: () => Promise.reject(new Error("stalled")) });
    expect((await client.submit(CALL)).txId).to.equal(txId(1));
    expect(channel.said.map(([event]) => event)).to.deep.equal(["replica-behind"]);
  });
});
