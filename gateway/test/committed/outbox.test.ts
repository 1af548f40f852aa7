import { expect } from "chai";
import { Outbox } from "../../src/committed/outbox.js";
import { SimNetwork } from "../../src/sim/network.js";
import { Scheduler } from "../../src/sim/scheduler.js";
import { encodeAccepted } from "../../src/transport/envelopes.js";
import { Committee } from "../support/committee.js";
import { random } from "../support/town.js";

interface Heard {
  readonly at: number;
  readonly to: number;
  readonly request: string;
}

describe("outbox", () => {
  let clock: Scheduler;
  let outbox: Outbox;
  let heard: Heard[];
  /** What each aggregator answers; nothing where it is absent. */
  let answers: (Uint8Array | undefined)[];

  beforeEach(async () => {
    const committee = new Committee();
    await committee.setUp();
    clock = new Scheduler(0);
    heard = [];
    answers = [encodeAccepted(), encodeAccepted(), undefined, Uint8Array.of(99, 1)];
    const network = new SimNetwork({ latency: { minMs: 1, maxMs: 1 } }, { clock, random });
    for (const to of [0, 1, 2, 3]) {
      network.listen(`da/${to}`, (_method, request, reply) => {
        heard.push({ at: clock.now(), to, request: new TextDecoder().decode(request) });
        const answer = answers[to];
        if (answer !== undefined) reply(answer);
        return Promise.resolve();
      });
    }
    const modules = { clock, transport: network.transport("kgcbp"), view: committee.view };
    outbox = new Outbox(modules, { firstMs: 100, longestMs: 400 });
  });

  const requests = (...texts: string[]): Uint8Array[] => texts.map((text) => new TextEncoder().encode(text));
  const times = (to: number): number[] => heard.filter((one) => one.to === to).map(({ at }) => at);

  it("sends to all, and again at growing intervals, until it is removed", async () => {
    await outbox.add("a", { method: "transaction", requests: requests("leaf"), untilAccepted: false });
    await clock.run(1_450);
    for (const to of [0, 1, 2, 3]) expect(times(to)).to.deep.equal([1, 101, 301, 701, 1101]);
    expect(outbox.remove("a")).to.equal(true);
    expect(outbox.remove("a")).to.equal(false);
    await clock.run();
    expect(heard).to.have.lengthOf(20);
  });

  it("leaves those alone that have accepted what needs no repetition, each part by itself", async () => {
    await outbox.add("lists", { method: "lists", requests: requests("one", "two"), untilAccepted: true });
    await clock.run(150);
    expect([0, 1, 2, 3].map((to) => times(to).length)).to.deep.equal([2, 2, 4, 4]);
    answers[2] = encodeAccepted();
    await clock.run(1_500);
    expect(times(2)).to.deep.equal([1, 1, 101, 101, 301, 301]);
    // An answer that cannot be read is none.
    expect(times(3)).to.have.lengthOf(10);
  });

  it("keeps each entry to its own time, and is silent when stopped", async () => {
    await outbox.add("a", { method: "transaction", requests: requests("a"), untilAccepted: false });
    await clock.run(50);
    await outbox.add("b", { method: "transaction", requests: requests("b"), untilAccepted: false });
    expect(outbox.names).to.deep.equal(["a", "b"]);
    await clock.run(160);
    expect(heard.filter(({ to }) => to === 0).map(({ at, request }) => `${request}@${at}`)).to.deep.equal([
      "a@1",
      "b@51",
      "a@101",
      "b@151",
    ]);
    outbox.stop();
    await clock.run();
    expect(heard).to.have.lengthOf(16);
    expect(outbox.has("a")).to.equal(false);
  });
});
