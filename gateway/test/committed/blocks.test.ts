import { isVeilgridError, paramsCodec, stateKey, type Period } from "@veilgrid/protocol";
import { expect } from "chai";
import { CertifiedBlocks } from "../../src/committed/blocks.js";
import { paramsOf } from "../support/committee.js";
import { homeOf } from "../support/homes.js";
import { Town } from "../support/town.js";

const FIRST: Period = { month: 12 * 2026 + 2, k: 1436 };
const NEXT: Period = { ...FIRST, k: 1437 };

describe("certified blocks", () => {
  let town: Town;
  let blocks: CertifiedBlocks;

  beforeEach(async () => {
    const homes = await Promise.all([0, 1, 2, 3, 4].map((i) => homeOf(`home ${i}`, 1, FIRST, { ...FIRST, k: 1438 })));
    town = new Town({ homes, params: paramsOf(), start: Date.UTC(2026, 2, 30, 12) });
    await town.setUp();
    await town.settle();
    await town.periods(FIRST, 2, () => 5n);
    blocks = new CertifiedBlocks(town);
  });

  /** Changes a stored value and says what reading block 2 of region 1 comes to. */
  async function after(key: string, change: (value: Uint8Array) => Uint8Array): Promise<string> {
    const { state } = town.committee;
    state.set(key, change((state.get(key) ?? new Uint8Array()).slice()));
    try {
      await blocks.block(1, 2n);
      return "certified";
    } catch (error) {
      return isVeilgridError(error) ? error.code : String(error);
    }
  }

  const flip =
    (at: number) =>
    (value: Uint8Array): Uint8Array => {
      const index = at < 0 ? value.length + at : at;
      value[index] = (value[index] as number) ^ 1;
      return value;
    };

  it("give header, hash and leaves of what Q aggregators voted for", async () => {
    const block = await blocks.block(1, 2n);
    expect(block?.header).to.deep.include({ region: 1, number: 2n, count: 10, period: FIRST });
    expect(block?.cbh).to.deep.equal((await town.view.readings(1, FIRST))?.cbh);
    expect(await blocks.block(1, 99n)).to.equal(undefined);
  });

  it("refuse a changed vote, header, leaf or number", async () => {
    const header = stateKey.header(1, 2n);
    const whole = town.committee.state.get(header)?.slice() as Uint8Array;
    expect(await after(header, flip(-1))).to.equal("bad-signature");
    expect(await after(header, () => whole.slice(0, -121))).to.equal("too-few-votes");
    // The last byte of the header's TS: the votes are for another hash.
    expect(await after(header, () => flip(172)(whole.slice()))).to.equal("other-block");
    expect(await after(header, () => whole)).to.equal("certified");
    expect(await after(stateKey.body(1, 2n), flip(50))).to.equal("uncertified-block");
  });

  it("refuse a block that stands under another number", async () => {
    const { state } = town.committee;
    const third = [stateKey.header(1, 3n), stateKey.body(1, 3n)].map((key) => state.get(key) as Uint8Array);
    state.set(stateKey.body(1, 2n), third[1] as Uint8Array);
    expect(await after(stateKey.header(1, 2n), () => third[0] as Uint8Array)).to.equal("uncertified-block");
    expect((await blocks.block(1, 3n))?.header.period).to.deep.equal(NEXT);
  });

  it("refuse parameters that are not those of the consortium id", async () => {
    const forged = paramsCodec.encode(paramsOf({ verdictDays: 8 }));
    expect(await after(stateKey.params(1), () => forged)).to.equal("wrong-consortium");
  });
});
