import { expect } from "chai";
import { Outbox, type Step } from "../../src/committed/outbox.js";
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
      network.listen(`da/Da${to}`, (_method, request, reply) => {
        heard.push({ at: clock.now(), to, request: new TextDecoder().decode(request) });
        const answer = answers[to];
        if (answer !== undefined) reply(answer);
        return Promise.resolve();
      });
    }
    const modules = { clock, transport: network.transport("kgcbp"), view: committee.view };
    outbox = new Outbox(modules, { firstMs: 100, longestMs: 400 });
  });

  const step = (text: string, untilAccepted = false): Step => ({
    method: "transaction",
    request: new TextEncoder().encode(text),
    untilAccepted,
  });
  const times = (to: number): number[] => heard.filter((one) => one.to === to).map(({ at }) => at);

  it("sends to all, and again at growing intervals, until it is removed", async () => {
    await outbox.add("a", [step("leaf")]);
    await clock.run(1_450);
    for (const to of [0, 1, 2, 3]) expect(times(to)).to.deep.equal([1, 101, 301, 701, 1101]);
    expect(outbox.remove("a")).to.equal(true);
    expect(outbox.remove("a")).to.equal(false);
    await clock.run();
    expect(heard).to.have.lengthOf(20);
  });

  it("goes on to the next step with whom has accepted the one before, and repeats what is not done", async () => {
    await outbox.add("epoch", [step("epoch"), step("one", true), step("two", true)]);
    await clock.run(90);
    const said = (to: number): string[] =>
      heard.filter((one) => one.to === to).map(({ at, request }) => `${request}@${at}`);
    expect(said(0)).to.deep.equal(["epoch@1", "one@3", "two@5"]);
    expect(said(2)).to.deep.equal(["epoch@1"]);
    answers[2] = encodeAccepted();
    await clock.run(350);
    expect(said(0)).to.deep.equal(["epoch@1", "one@3", "two@5", "epoch@101", "epoch@301"]);
    expect(said(2)).to.deep.equal(["epoch@1", "epoch@101", "one@103", "two@105", "epoch@301"]);
    // An answer that cannot be read is none.
    expect(said(3)).to.deep.equal(["epoch@1", "epoch@101", "epoch@301"]);
  });

  it("keeps each entry to its own time, and is silent when stopped", async () => {
    await outbox.add("a", [step("a")]);
    await clock.run(50);
    await outbox.add("b", [step("b")]);
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
