import { isVeilgridError, VeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import type { Committed, LedgerBlock, LedgerEvent, PeerLedger } from "../../src/ports/ledger.js";
import { SteadyLedger } from "../../src/world/steady.js";

async function* none<T>(): AsyncGenerator<T> {
  await Promise.resolve();
  yield* [];
}

/** A ledger of five blocks as far as this process follows it, whose submissions end as told. */
function ledger(submit: () => Promise<Committed>): PeerLedger {
  return {
    as: () => ({ submit, evaluate: () => Promise.resolve(new Uint8Array()) }),
    state: { get: () => Promise.resolve(undefined) },
    tip: new Uint8Array(32),
    height: () => Promise.resolve(5n),
    blocks: () => none<LedgerBlock>(),
    events: () => none<LedgerEvent>(),
    close: () => Promise.resolve(),
  };
}

function inBlock(blockNumber: bigint): Committed {
  return { txId: "tx", blockNumber, result: new Uint8Array() };
}

/** What the world hears after a submission that ends so, and what the role hears. */
async function heard(submit: () => Promise<Committed>): Promise<readonly [world: string, role: string]> {
  const steady = new SteadyLedger(ledger(submit));
  let role = "committed";
  try {
    await steady.as({ msp: "DA0MSP" }).submit({ name: "submitBlock", args: [] });
  } catch (error) {
    role = isVeilgridError(error) ? error.code : String(error);
  }
  return [steady.failure?.code ?? "nothing", role];
}

function failing(code: string): () => Promise<Committed> {
  return () => Promise.reject(new VeilgridError(code, code, { blame: "operator", retry: true }));
}

describe("a ledger whose failing stops virtual time", () => {
  it("leaves to the roles what the contract says, and what was overtaken", async () => {
    expect(await heard(() => Promise.resolve(inBlock(4n)))).to.deep.equal(["nothing", "committed"]);
    expect(await heard(failing("endorse-refused"))).to.deep.equal(["nothing", "endorse-refused"]);
    expect(await heard(failing("mvcc-conflict"))).to.deep.equal(["nothing", "mvcc-conflict"]);
  });

  it("tells the world of anything else, besides the role", async () => {
    for (const code of ["ledger-unavailable", "endorse-differs", "access-refused"]) {
      expect(await heard(failing(code))).to.deep.equal([code, code]);
    }
  });

  it("tells of a block that is committed and cannot be read here", async () => {
    expect(await heard(() => Promise.resolve(inBlock(5n)))).to.deep.equal(["ledger-unavailable", "committed"]);
  });
});
