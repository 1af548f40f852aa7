import { expect } from "chai";
import type { Committed } from "../../src/ports/ledger.js";
import type { RemoteLedger } from "../../src/remote/ledger.js";
import { all, failure, notes } from "../ledger/conformance.js";
import { Folders } from "../ledger/world.js";
import { LossyLine } from "./lossy.js";
import { Served } from "./served.js";

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

describe("a ledger service", () => {
  let served: Served;

  before(async () => {
    served = await Served.start();
  });

  after(() => served.stop());

  async function count(ledger: RemoteLedger, key: string): Promise<string> {
    return text(await ledger.as({ msp: "Org1" }).evaluate(notes("get", key)));
  }

  it("takes a caller for the organisation whose authority signed its certificate, whatever it says it is", async () => {
    const ledger = await served.open([await served.identity("Org1", "Org2")]);
    const claimed = ledger.as({ msp: "Org2" });
    expect(text(await claimed.evaluate(notes("who")))).to.equal("Org1");
    expect((await failure(Promise.resolve().then(() => ledger.as({ msp: "Org1" })))).code).to.equal("no-client");
  });

  it("lets nobody in who has no organisation's certificate", async () => {
    const error = await failure(served.open([await served.identity("Stranger", "Org1")]));
    expect(error.code).to.be.oneOf(["tls-refused", "ledger-unavailable"]);
  });

  it("is waited for while it is away, and counts once what was sent meanwhile", async () => {
    const ledger = await served.open([await served.identity("Org1")]);
    const org1 = ledger.as({ msp: "Org1" });
    await org1.submit(notes("increment", "away"));
    await served.down();
    const sent = Promise.all([org1.submit(notes("put", "sent", "meanwhile")), org1.submit(notes("increment", "away"))]);
    await served.up();
    const [, second] = await sent;
    expect(text(second.result)).to.equal("2");
    expect(text((await ledger.state.get("sent")) ?? new Uint8Array())).to.equal("meanwhile");
    expect(await count(ledger, "away")).to.equal("2");
  });

  it("shows a process its own transaction, and others' as soon as they are in a block", async () => {
    const one = await served.open([await served.identity("Org1")]);
    const other = await served.open([await served.identity("Org2")]);
    const { blockNumber } = await one.as({ msp: "Org1" }).submit(notes("put", "seen", "1"));
    expect(text((await one.state.get("seen")) ?? new Uint8Array())).to.equal("1");
    expect(await one.height()).to.equal(blockNumber + 1n);
    const later = await other.as({ msp: "Org2" }).submit(notes("put", "seen", "2"));
    expect(later.blockNumber > blockNumber).to.equal(true);
    expect(await all(other.blocks(0n))).to.deep.equal(await all(served.ledger.blocks(0n)));
    expect(other.tip).to.deep.equal(served.ledger.tip);
  });

  it("goes on in the folder of a process that ended, behind the last block there", async () => {
    const path = served.folders.make();
    const identity = await served.identity("Org1");
    const first = await served.open([identity], path);
    await first.as({ msp: "Org1" }).submit(notes("put", "kept", "1"));
    await first.close();
    const other = await served.open([await served.identity("Org2")]);
    await other.as({ msp: "Org2" }).submit(notes("put", "kept", "2"));
    const again = await served.open([identity], path);
    expect(text((await again.state.get("kept")) ?? new Uint8Array())).to.equal("2");
    expect(await all(again.events(0n))).to.deep.equal(await all(served.ledger.events(0n)));
  });

  it("is not believed when it has another ledger than before", async () => {
    const path = served.folders.make();
    const identity = await served.identity("Org1");
    await (await served.open([identity], path)).close();
    const another = await Served.start();
    try {
      await another.ledger.as({ msp: "Org1" }).submit(notes("put", "other", "1"));
      for (let i = await another.ledger.height(); i < (await served.ledger.height()); i += 1n) {
        await another.ledger.as({ msp: "Org1" }).submit(notes("put", "other", i.toString()));
      }
      const error = await failure(another.open([await another.identity("Org1")], path));
      expect(error.code).to.equal("ledger-forked");
    } finally {
      await another.stop();
    }
  });

  describe("whose answer is lost", () => {
    let line: LossyLine;
    const folders = new Folders();

    beforeEach(async () => {
      line = await LossyLine.open(served.port);
    });

    afterEach(() => {
      line.close();
      folders.remove();
    });

    /** Submits while answers are swallowed; returns when the service has committed it. */
    async function swallowed(ledger: RemoteLedger, key: string): Promise<{ readonly sent: Promise<Committed> }> {
      const before = await served.ledger.height();
      line.isSwallowing = true;
      const sent = ledger.as({ msp: "Org1" }).submit(notes("increment", key));
      sent.catch(() => undefined);
      while ((await served.ledger.height()) === before) await new Promise((resolve) => setImmediate(resolve));
      return { sent };
    }

    it("is asked what became of the transaction, which counts once", async () => {
      const ledger = await served.open([await served.identity("Org1")], folders.make(), { port: line.port });
      const { sent } = await swallowed(ledger, "lost");
      line.isSwallowing = false;
      line.cut();
      expect(text((await sent).result)).to.equal("1");
      expect(await count(ledger, "lost")).to.equal("1");
    });

    it("has its transaction taken up by the next process", async () => {
      const path = folders.make();
      const identity = await served.identity("Org1");
      const heard: string[] = [];
      const ledger = await served.open([identity], path, { port: line.port });
      const { sent } = await swallowed(ledger, "died");
      const ended = failure(sent);
      await ledger.close();
      expect((await ended).code).to.equal("ledger-unavailable");
      const next = await served.open([identity], path, { log: (_, event) => heard.push(event) });
      expect(heard).to.deep.equal(["transaction-settled"]);
      expect(await count(next, "died")).to.equal("1");
    });
  });
});
