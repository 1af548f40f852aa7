import { toHex, utf8 } from "@veilgrid/protocol";
import { expect } from "chai";
import { compareStandings, type AskedPeer } from "../../src/fabric/peers.js";
import { forgeChain, type Forged, type Link } from "./forge.js";
import { HandTime, ListPeer } from "./peers.js";

const COUNTED: Forged = { writes: { veilgrid: [["k", utf8("v")]] } };
const CHAIN = forgeChain([[], [COUNTED], [], []]);

/** A peer of this name with these blocks. */
function peer(name: string, chain: readonly Link[], change: (peer: ListPeer) => void = () => undefined): AskedPeer {
  const list = new ListPeer(name, chain);
  change(list);
  return Object.assign(list, { height: () => Promise.resolve(BigInt(chain.length)) });
}

describe("the peers of a channel", () => {
  const time = new HandTime();

  it("agree where their common part is the same, however far each is", async () => {
    const { peers, height, agree } = await compareStandings(
      [peer("A", CHAIN), peer("B", CHAIN.slice(0, 3)), peer("C", CHAIN)],
      time,
    );
    expect({ height, agree }).to.deep.equal({ height: 3n, agree: true });
    expect(peers.map(({ msp, height: own }) => [msp, own])).to.deep.equal([
      ["A", 4n],
      ["B", 3n],
      ["C", 4n],
    ]);
    const [a, b] = peers;
    expect(toHex(a?.common?.hash as Uint8Array)).to.equal(toHex((CHAIN[2] as Link).hash));
    expect(a?.common).to.deep.equal(b?.last);
    expect(toHex(a?.last?.hash as Uint8Array)).to.equal(toHex((CHAIN[3] as Link).hash));
  });

  it("differ where one has another block, or counts another transaction", async () => {
    const other = forgeChain([[], []], CHAIN.slice(0, 1));
    expect((await compareStandings([peer("A", CHAIN.slice(0, 2)), peer("B", other)], time)).agree).to.equal(false);
    const uncounted = forgeChain([[{ ...COUNTED, code: 11 }]], CHAIN.slice(0, 1));
    expect(toHex((uncounted[1] as Link).hash)).to.equal(toHex((CHAIN[1] as Link).hash));
    expect((await compareStandings([peer("A", CHAIN.slice(0, 2)), peer("B", uncounted)], time)).agree).to.equal(false);
  });

  it("are compared without those that do not answer, of which is said why", async () => {
    const silent = peer("C", CHAIN, (list) => {
      list.isFrozen = true;
    });
    const work = compareStandings([peer("A", CHAIN), unreachable("B"), silent], time);
    await time.pass(3000);
    const { peers, height, agree } = await work;
    expect({ height, agree }).to.deep.equal({ height: 4n, agree: true });
    expect(peers.map(({ msp, fault }) => [msp, fault?.code])).to.deep.equal([
      ["A", undefined],
      ["B", "ledger-unavailable"],
      ["C", "ledger-stalled"],
    ]);
  });

  it("may all be silent", async () => {
    const { height, agree } = await compareStandings([unreachable("A")], time);
    expect({ height, agree }).to.deep.equal({ height: 0n, agree: true });
  });
});

function unreachable(name: string): AskedPeer {
  const list = new ListPeer(name);
  return Object.assign(list, { height: () => Promise.reject(new Error("connection refused")) });
}
