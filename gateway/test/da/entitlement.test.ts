import { ANSWER, answerCodec } from "@veilgrid/protocol";
import { expect } from "chai";
import type { Method } from "../../src/ports/transport.js";
import { decodeResponse } from "../../src/transport/envelopes.js";
import { Grid } from "./grid.js";

const METHODS: readonly Method[] = [
  "forward",
  "propose",
  "bodies",
  "timeout",
  "timeouts",
  "elect",
  "transaction",
  "lists",
  "delivery",
];

describe("what an aggregator is asked by whom", () => {
  let grid: Grid;
  before(async () => {
    grid = await new Grid().start();
  });

  /** The methods that are refused to an asker for what it is, whatever it sends. */
  async function refused(from: string): Promise<Method[]> {
    const asked = METHODS.map((method) => ({ method, asked: grid.ask(0, method, new Uint8Array(), from) }));
    await grid.seconds(2);
    return asked
      .filter(({ asked: { response } }) => {
        const answer = response && decodeResponse(response);
        return answer?.tag === "answer" && answerCodec.decode(answer.answer).code === ANSWER["not-entitled"];
      })
      .map(({ method }) => method);
  }

  it("a meter: readings, the time, the parameter set, and nothing else", async () => {
    expect(await refused("meter/1")).to.deep.equal(METHODS);
    expect(await refused("somebody")).to.deep.equal(METHODS);
  });

  it("KGCBP: transactions and lists", async () => {
    expect(await refused("kgcbp")).to.deep.equal(METHODS.filter((name) => name !== "transaction" && name !== "lists"));
  });

  it("CC: transactions", async () => {
    expect(await refused("cc")).to.deep.equal(METHODS.filter((name) => name !== "transaction"));
  });

  it("a DA of the parameter set: everything but transactions, and one of another consortium nothing", async () => {
    expect(await refused("da/Da1")).to.deep.equal(["transaction", "delivery"]);
    expect(await refused("da/Elsewhere")).to.deep.equal(METHODS);
  });

  it("and says once a minute of each who asked for what is not theirs", async () => {
    const said = (): number => grid.logged.filter(({ event }) => event === "not-entitled").length;
    await grid.seconds(60);
    const before = said();
    for (let i = 0; i < 5; i++) expect(await refused("cc")).not.to.deep.equal([]);
    expect(said() - before).to.equal(METHODS.length - 1);
    await grid.seconds(60);
    await refused("cc");
    expect(said() - before).to.equal(2 * (METHODS.length - 1));
  });
});
