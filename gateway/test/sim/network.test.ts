import { expect } from "chai";
import { SeededRandom } from "../../src/random.js";
import { SimNetwork } from "../../src/sim/network.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import type { Handler } from "../../src/ports/transport.js";

const echo: Handler = (_method, request, reply) => {
  reply(request);
  reply(Uint8Array.of(255));
  return Promise.resolve();
};

function networkOf(minMs: number, maxMs: number, seed = 1): { clock: Scheduler; network: SimNetwork } {
  const clock = new Scheduler(0);
  return { clock, network: new SimNetwork({ latency: { minMs, maxMs } }, { clock, random: SeededRandom.of(seed) }) };
}

/** Asks "b" from "a" and notes what comes back, and when. */
function asking(clock: Scheduler, network: SimNetwork): { readonly heard: string[]; ask: (byte: number) => void } {
  const heard: string[] = [];
  const ask = (byte: number): void => {
    network.transport("a").request("b", "time", Uint8Array.of(byte), (response) => {
      heard.push(`${response[0] ?? "nothing"}@${clock.now()}`);
    });
  };
  return { heard, ask };
}

describe("SimNetwork", () => {
  it("carries a request and its first answer, each after the latency", async () => {
    const { clock, network } = networkOf(10, 10);
    network.listen("b", echo);
    const { heard, ask } = asking(clock, network);
    ask(7);
    await clock.run();
    expect(heard).to.deep.equal(["7@20"]);
  });

  it("draws latencies from the seed", async () => {
    const timesOf = async (seed: number): Promise<string[]> => {
      const { clock, network } = networkOf(1, 1_000, seed);
      network.listen("b", echo);
      const { heard, ask } = asking(clock, network);
      for (let i = 0; i < 5; i += 1) ask(i);
      await clock.run();
      return heard;
    };
    expect(await timesOf(1)).to.deep.equal(await timesOf(1));
    expect(await timesOf(1)).not.to.deep.equal(await timesOf(2));
  });

  it("answers later, if the handler does", async () => {
    const { clock, network } = networkOf(10, 10);
    network.listen("b", (_method, _request, reply) => {
      clock.at(500, "later", () => {
        reply(Uint8Array.of(1));
      });
      return Promise.resolve();
    });
    const { heard, ask } = asking(clock, network);
    ask(0);
    await clock.run();
    expect(heard).to.deep.equal(["1@510"]);
  });

  it("loses what goes to nobody, or to and from who is down", async () => {
    const { clock, network } = networkOf(10, 10);
    const { heard, ask } = asking(clock, network);
    ask(1);
    await clock.run();
    network.listen("b", echo);
    network.setUp("b", false);
    ask(2);
    await clock.run();
    network.setUp("b", true);
    network.setUp("a", false);
    ask(3);
    await clock.run();
    network.setUp("a", true);
    ask(4);
    await clock.run();
    expect(heard).to.deep.equal(["4@40"]);
  });

  it("loses what was on its way when a party died, even if it is back in time", async () => {
    const { clock, network } = networkOf(10, 10);
    network.listen("b", echo);
    const { heard, ask } = asking(clock, network);
    ask(1);
    clock.at(5, "restart of b", () => {
      network.setUp("b", false);
      network.setUp("b", true);
    });
    await clock.run();
    ask(2);
    clock.at(clock.now() + 15, "restart of a", () => {
      network.setUp("a", false);
      network.setUp("a", true);
    });
    await clock.run();
    expect(heard).to.deep.equal([]);
  });

  it("does not let a dead party's late answer out", async () => {
    const { clock, network } = networkOf(10, 10);
    network.listen("b", (_method, _request, reply) => {
      clock.at(500, "later", () => {
        reply(Uint8Array.of(1));
      });
      return Promise.resolve();
    });
    const { heard, ask } = asking(clock, network);
    ask(0);
    clock.at(100, "closed and open again", () => {
      network.close("b");
      network.listen("b", echo);
    });
    await clock.run();
    expect(heard).to.deep.equal([]);
  });

  it("drops what a rule picks, until the rule is lifted", async () => {
    const { clock, network } = networkOf(10, 10);
    network.listen("b", echo);
    const { heard, ask } = asking(clock, network);
    const lift = network.drop(({ direction, bytes }) => direction === "response" && bytes[0] === 1);
    ask(1);
    ask(2);
    await clock.run();
    lift();
    ask(1);
    await clock.run();
    expect(heard).to.deep.equal(["2@20", "1@40"]);
  });
});
