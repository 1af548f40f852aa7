import { expect } from "chai";
import { withHistory } from "../../src/ledger/history.js";
import type { LedgerBlock } from "../../src/ports/ledger.js";

describe("the history of a ledger", () => {
  it("has what closing has deleted from its state, and nothing else", async () => {
    const [old, other] = [new Uint8Array([1]), new Uint8Array([2])];
    const write = (key: string, value?: Uint8Array): LedgerBlock["transactions"][0]["writes"][0] => ({ key, value });
    const transaction = { txId: "", caller: "", call: { name: "", args: [] } };
    const blocks: LedgerBlock[] = [
      { number: 0n, transactions: [{ ...transaction, validation: "VALID", writes: [write("body/1", old)] }] },
      {
        number: 1n,
        transactions: [
          { ...transaction, validation: "MVCC_READ_CONFLICT", writes: [write("body/1", other)] },
          { ...transaction, validation: "VALID", writes: [write("body/1"), write("head/1", old)] },
        ],
      },
    ];
    let walks = 0;
    const ledger = {
      state: { get: (key: string) => Promise.resolve(key === "here" ? old : undefined) },
      blocks: async function* () {
        await Promise.resolve();
        walks += 1;
        yield* blocks;
      },
    };
    await withHistory(ledger, async (history) => {
      expect(await history.get("here")).to.deep.equal(old);
      expect(await history.get("head/1")).to.equal(undefined);
      expect(walks).to.equal(0);
      expect(await history.get("body/1")).to.deep.equal(old);
      expect(await history.get("body/2")).to.equal(undefined);
      expect(walks).to.equal(1);
    });
  });
});
