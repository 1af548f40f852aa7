import {
  KIND,
  decodeLeaf,
  equalBytes,
  monthCloses,
  schnorr,
  verifyBody,
  window,
  type ParamsChange,
  type Period,
} from "@veilgrid/protocol";
import { expect } from "chai";
import { CertifiedBlocks } from "../../src/committed/blocks.js";
import { CommittedMonth } from "../../src/customer/committed-month.js";
import { Customer } from "../../src/customer/customer.js";
import { SECRETS, paramsOf } from "../support/committee.js";
import { homeOf } from "../support/homes.js";
import { LATER, Town, type Consumption } from "../support/town.js";

const MARCH = 12 * 2026 + 2;
const NOON = Date.UTC(2026, 2, 30, 12);
/** The last two periods of 30 March: one epoch; then those of 31 March, another one. */
const FIRST: Period = { month: MARCH, k: 1438 };
const END: Period = { month: MARCH, k: 1444 };
const at = (k: number): Period => ({ month: MARCH, k });
const params = paramsOf();

const consumption: Consumption = ({ enrolment }, { k }) => BigInt((enrolment.bid[1] as number) + k);

const BOTH: readonly ParamsChange[] = [
  { what: "rotate-cc", key: schnorr.publicKey(LATER.cc) },
  { what: "rotate-kgcbp", key: schnorr.publicKey(LATER.kgcbp) },
];

/** @param isIdle whether the committee commits nothing at first. */
async function townOf(isIdle = false): Promise<Town> {
  const homes = await Promise.all(Array.from({ length: 6 }, (_, i) => homeOf(`home ${i}`, 1, FIRST, END)));
  const town = new Town({ homes, params, start: NOON });
  town.isIdle = isIdle;
  await town.setUp();
  await town.settle();
  return town;
}

async function billed(town: Town): Promise<boolean[]> {
  await town.runTo(monthCloses(MARCH, params) + 60_000, 7_200_000);
  const month = await CommittedMonth.open(MARCH, { view: town.view });
  const verdicts: boolean[] = [];
  for (const { enrolment, identity } of town.homes) {
    const customer = new Customer({ bid: enrolment.bid, identity }, { content: town.content });
    verdicts.push((await customer.verify(month)).verified);
  }
  return verdicts;
}

/** By whose key every leaf of chain 0 and of the region's epochs is signed, by kind of block and version. */
async function signers(town: Town): Promise<string[]> {
  const consortium = await town.view.consortium();
  const blocks = new CertifiedBlocks({ view: town.view });
  const found = new Set<string>();
  for (const region of [0, 1]) {
    const { number: last } = await town.view.head(region);
    for (let number = 1n; number <= last; number += 1n) {
      const block = await blocks.block(region, number);
      const kinds = {
        [KIND.epoch]: "epoch",
        [KIND.masks]: "mask",
        [KIND.prices]: "price",
        [KIND.bills]: "bills",
      } as const;
      const { kind, params: version } = block?.header ?? { kind: 0, params: 0 };
      const as = kinds[kind as keyof typeof kinds] as (typeof kinds)[keyof typeof kinds] | undefined;
      if (as === undefined) continue;
      const { body, sig } = decodeLeaf(block?.leaves[0] as Uint8Array);
      const secrets = as === "price" ? [SECRETS.cc, LATER.cc] : [SECRETS.kgcbp, LATER.kgcbp];
      const by = secrets.findIndex((secret) => verifyBody(as, consortium, body, sig, schnorr.publicKey(secret)));
      found.add(`${as} of version ${version} by key ${by + 1}`);
    }
  }
  return [...found].sort();
}

describe("KGCBP's and CC's keys", function () {
  this.timeout(60_000);

  it("are replaced in the middle of a month: what is on its way is signed anew, and every bill verifies", async () => {
    const town = await townOf();
    await town.periods(FIRST, 2, consumption);
    // The release of this period is on its way, signed by the old key, when the version changes.
    await town.runTo(window(at(1440), params).opens);
    town.isIdle = true;
    await town.readings(1, at(1440), await town.leavesOf(1, at(1440), consumption));
    const old = [...town.committee.pending.values()].filter(({ kind }) => kind === KIND.masks).map(({ leaf }) => leaf);
    expect(old).to.have.length(1);
    town.isIdle = false;
    await town.adopt(BOTH, [LATER.cc, LATER.kgcbp]);
    expect(await town.view.mask(1, at(1440))).to.deep.include({ status: 1 });
    const record = await town.view.mask(1, at(1440));
    const leaf = (await town.view.block(0, record?.number ?? 0n))?.block.leaves[0] as Uint8Array;
    expect(equalBytes(leaf, old[0] as Uint8Array)).to.equal(false);
    expect(decodeLeaf(leaf).body).to.deep.equal(decodeLeaf(old[0] as Uint8Array).body);
    // What the old key signed is never taken.
    expect([...town.committee.pending.values()].map((one) => one.leaf)).to.deep.equal(old);
    await town.periods(at(1441), 3, consumption);
    expect(await billed(town)).to.deep.equal(Array(6).fill(true));
    expect(await signers(town)).to.deep.equal([
      "bills of version 2 by key 2",
      // Both were sent before the change: they name version 1.
      "epoch of version 1 by key 1",
      "mask of version 1 by key 1",
      "mask of version 2 by key 2",
      "price of version 1 by key 1",
      "price of version 2 by key 2",
    ]);
  });

  it("are those of the version that an epoch names, although another is in force", async () => {
    // The first epoch is on its way; the next one follows it.
    const town = await townOf(true);
    await town.adopt(BOTH, [LATER.cc, LATER.kgcbp]);
    town.isIdle = false;
    await town.periods(FIRST, 6, consumption);
    expect(await billed(town)).to.deep.equal(Array(6).fill(true));
    expect((await signers(town)).filter((line) => line.startsWith("epoch"))).to.deep.equal([
      "epoch of version 1 by key 1",
      "epoch of version 2 by key 2",
    ]);
  });

  it("sign an epoch again under the version in force when two changes have overtaken it", async () => {
    // On its way, and nobody commits it.
    const town = await townOf(true);
    for (const roundSeconds of [11, 12]) {
      await town.committee.adopt([{ what: "set", values: { roundSeconds } }], [], town.clock.now());
    }
    await town.adopt(BOTH, [LATER.cc, LATER.kgcbp]);
    town.isIdle = false;
    await town.periods(FIRST, 6, consumption);
    expect(await billed(town)).to.deep.equal(Array(6).fill(true));
    expect((await signers(town)).filter((line) => line.startsWith("epoch"))).to.include("epoch of version 4 by key 2");
  });

  it("are missed aloud where the process lacks the one in force", async () => {
    const town = await townOf();
    await town.adopt([{ what: "rotate-kgcbp", key: schnorr.publicKey(SECRETS.da[0] as Uint8Array) }], []).then(
      () => expect.fail("a key of two parties"),
      () => undefined,
    );
    await town.adopt(
      [{ what: "rotate-kgcbp", key: schnorr.publicKey(new Uint8Array(32).fill(7)) }],
      [new Uint8Array(32).fill(7)],
    );
    expect(town.logged.filter((line) => line.includes("signing-key-missing"))).to.deep.equal([
      'error signing-key-missing {"party":"kgcbp","version":2}',
    ]);
  });
});
