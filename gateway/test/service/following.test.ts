import { VeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import type { Ledger, LedgerEvent } from "../../src/ports/ledger.js";
import { silent } from "../../src/ports/log.js";
import { Following } from "../../src/service/following.js";

function event(block: number): LedgerEvent {
  return { blockNumber: BigInt(block), txId: `tx${block}`, name: "leader", payload: new Uint8Array(40) };
}

/** A ledger whose blocks have one event each. */
class Chain implements Pick<Ledger, "height" | "events"> {
  blocks = 0;
  failures = 0;

  height(): Promise<bigint> {
    if (this.failures === 0) return Promise.resolve(BigInt(this.blocks));
    this.failures -= 1;
    return Promise.reject(new VeilgridError("ledger-unavailable", "away", { blame: "ledger", retry: true }));
  }

  async *events(from: bigint): AsyncIterable<LedgerEvent> {
    for (let block = Number(from); block < this.blocks; block += 1) yield await Promise.resolve(event(block));
  }
}

describe("a service that follows the ledger", () => {
  it("hears of each event once, in order, the next one when the one before is done with", async () => {
    const chain = new Chain();
    chain.blocks = 3;
    const heard: string[] = [];
    await new Promise<unknown>((resolve) => {
      const following = new Following(1n, {
        ledger: chain as unknown as Ledger,
        deliver: async ({ txId }) => {
          heard.push(`begin ${txId}`);
          // More is committed meanwhile.
          if (chain.blocks < 5) chain.blocks += 1;
          await new Promise((done) => setTimeout(done, 3));
          heard.push(`end ${txId}`);
          if (txId === "tx4") void following.stop().then(resolve);
        },
        onBlock: () => undefined,
        log: silent,
      });
      following.start(resolve);
    });
    expect(heard).to.deep.equal([1, 2, 3, 4].flatMap((block) => [`begin tx${block}`, `end tx${block}`]));
  });

  it("goes on when a ledger that was away is back, and says so", async () => {
    const chain = new Chain();
    chain.blocks = 1;
    chain.failures = 1;
    const said: string[] = [];
    await new Promise<unknown>((resolve) => {
      const following: Following = new Following(0n, {
        ledger: chain as unknown as Ledger,
        deliver: () => {
          void following.stop().then(resolve);
          return Promise.resolve();
        },
        onBlock: () => undefined,
        log: (_, name) => said.push(name),
      });
      following.start(resolve);
    });
    expect(said).to.deep.equal(["ledger-not-followed"]);
  });

  it("tells of a role that failed at an event, and delivers nothing more", async () => {
    const chain = new Chain();
    chain.blocks = 2;
    let delivered = 0;
    const failure = await new Promise((resolve) => {
      const following = new Following(0n, {
        ledger: chain as unknown as Ledger,
        deliver: () => {
          delivered += 1;
          return Promise.reject(new Error("a defect"));
        },
        onBlock: () => undefined,
        log: silent,
      });
      following.start(resolve);
    });
    expect(String(failure)).to.equal("Error: a defect");
    expect(delivered).to.equal(1);
  });
});
