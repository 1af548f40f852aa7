import { expect } from "chai";
import {
  LedgerView,
  applyBlock,
  applyElection,
  applySetup,
  electionCodec,
  encodeCertificate,
  fromHex,
  signStruct,
  toHex,
  type Transition,
} from "../../src/index.js";
import { consortiumOf, readInput } from "../../vectors/input.js";
import { VECTORS } from "./committed.js";

/** A ledger whose state is a map. */
class MapLedger {
  readonly #state = new Map<string, Uint8Array>();
  readonly view = new LedgerView({ get: (key) => Promise.resolve(this.#state.get(key)) });

  commit({ writes }: Transition): void {
    for (const { key, value } of writes) {
      if (value === undefined) this.#state.delete(key);
      else this.#state.set(key, value);
    }
  }
}

describe("blocks of input.json on the ledger", () => {
  it("are accepted one after the other under the leader of term 1", async () => {
    const { id, daSecrets } = consortiumOf(readInput());
    const ledger = new MapLedger();
    ledger.commit(await applySetup(ledger.view, fromHex(VECTORS.paramsBytes)));
    const votes = [0, 1, 3].map((voter) => {
      const body = { params: 1, term: 1n, candidate: 0, voter };
      return signStruct("election", id, electionCodec, body, daSecrets[voter] as Uint8Array);
    });
    ledger.commit(await applyElection(ledger.view, encodeCertificate(votes)));
    for (const { block, certificate } of [VECTORS.epochBlock, ...VECTORS.readingsBlocks]) {
      ledger.commit(await applyBlock(ledger.view, fromHex(block), fromHex(certificate)));
    }
    const head = await ledger.view.head(1);
    expect([head.number, toHex(head.cbh)]).to.deep.equal([4n, VECTORS.readingsBlocks[2]?.cbh]);
  });
});
