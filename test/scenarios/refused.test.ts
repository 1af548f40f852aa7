import {
  BloomFilter,
  KIND,
  caseRef,
  decodeLeaf,
  encodeLeaf,
  encodeParamsLeaf,
  epochCodec,
  isVeilgridError,
  paramsCodec,
  sha256,
  signBody,
  toHex,
  utf8,
  type Mask,
  type Params,
  type Period,
  type Verdict,
} from "@veilgrid/protocol";
import { encodeTransaction, LevelStore, openDatabase, type Packet, type Run, type World } from "@veilgrid/gateway";
import { expect } from "chai";
import { Chain, periodAt } from "../src/consortium/chain.js";
import { ContractLedger } from "../src/consortium/contract-ledger.js";
import { epochDraft, epochOf } from "../src/consortium/epochs.js";
import { chain0Draft, masksDraft, paramsDraft, verdictsDraft } from "../src/consortium/issued.js";
import { aggregators, memberOf, paramsOf, secretOf } from "../src/consortium/members.js";
import { refused } from "../src/consortium/refused.js";
import { SMALL } from "../src/world/honest.js";
import { beginRun } from "../src/world/small-run.js";
import { Stranger } from "../src/world/stranger.js";

/**
 * `refused` compares height and tip of the contract's ledger before and after: it has not so much as a block more. KGCBP,
 * the leader and as many voters as a test names are hostile, so that nothing but the contract's rules is in their way.
 */
describe("what goes wrong on the ledger is refused by code, with nothing changed", () => {
  let chain: Chain<ContractLedger>;

  /** Periods 0 to 2 have an epoch: a whole block, one with a fault, and none yet. */
  before(async () => {
    const params = paramsOf();
    chain = Chain.of(await ContractLedger.open(params), params);
    await chain.setUp();
    await chain.commit(chain.epoch({ periods: 3 }));
    await chain.settle({ k: 0 });
    const silent = chain.reports(([, ...others]) => others);
    await chain.settle({ k: 1 }, silent);
    for (const k of [0, 1]) await chain.commit(chain.at(masksDraft(chain.issuing, [chain.release({ k })])));
  });

  after(() => chain.ledger.close());

  it("an epoch that changes a period already sent", async () => {
    const [, ...others] = chain.meters;
    for (const [first, meters] of [
      [0, chain.meters],
      [2, chain.meters],
      [2, others],
    ] as const) {
      // prettier-ignore
      const epoch = epochOf(chain.issuing, meters, { region: 1, first: periodAt(first), periods: 3 });
      expect(await refused(chain, chain.at(epochDraft(chain.issuing, epoch)))).to.equal("overlapping-epoch");
    }
  });

  it("a second release", async () => {
    const first = chain.release({ k: 0 });
    for (const mask of [first, { ...first, z: 1n }, { ...first, status: 2, z: 0n } as Mask]) {
      expect(await refused(chain, chain.at(masksDraft(chain.issuing, [mask])))).to.equal("mask-exists");
    }
  });

  it("a correction in after-commit", async () => {
    // Upfront it would be due: the block has a fault.
    expect((await chain.view.readings(1, periodAt(1)))?.aggFault).to.equal(true);
    const correction: Mask = { ...chain.release({ k: 1 }), z: 7n };
    expect(await refused(chain, chain.at(masksDraft(chain.issuing, [correction])))).to.equal("mask-exists");
  });

  it("a params block without possession", async () => {
    const next = { ...chain.params, version: 2, cc: memberOf("Cc", "another key"), da: aggregators(5) };
    const bytes = paramsCodec.encode(next);
    const [joins, cc] = [next.da[4], next.cc].map((member) => {
      return signBody("possession", chain.consortium, sha256(bytes), secretOf((member as { key: Uint8Array }).key));
    }) as [Uint8Array, Uint8Array];
    for (const proofs of [[], [joins], [cc], [cc, joins], [joins, cc, cc]]) {
      const draft = chain0Draft(KIND.params, 1, [encodeParamsLeaf(bytes, proofs)]);
      expect(await refused(chain, chain.at(draft)), `${proofs.length}`).to.equal("missing-possession");
    }
  });

  it("a params block with too few votes of the old set", async () => {
    const next: Params = { ...chain.params, version: 2, da: aggregators(7) };
    const draft = chain.at(paramsDraft(chain.issuing, next));
    expect(await refused(chain, draft, { voters: [0, 1] })).to.equal("too-few-votes");
    // Those who join have no vote yet, however many they are.
    expect(await refused(chain, draft, { voters: [0, 1, 1] })).to.equal("duplicate-voter");
    expect(await refused(chain, draft, { voters: [0, 1, 3], lastVoter: next.da[4]?.key as Uint8Array })).to.equal("bad-signature"); // prettier-ignore
    const joined = await chain.seal(draft, { voters: [0, 1, 2] });
    expect(joined.header.params, "it would be good with three").to.equal(1);
  });

  it("a verdict for a block without aggFault", async () => {
    const ref = caseRef(sha256(utf8("case key")), new Uint8Array(16));
    const verdict: Verdict = { region: 1, period: periodAt(0), silent: 1, orphan: 0, implausible: 0, conflict: 0, ref };
    expect(await refused(chain, chain.at(verdictsDraft(chain.issuing, [verdict])))).to.equal("no-fault");
    const none = { ...verdict, period: periodAt(2) };
    expect(await refused(chain, chain.at(verdictsDraft(chain.issuing, [none])))).to.equal("no-readings-block");
  });

  it("(and each of them is taken where it is right)", async () => {
    const ref = caseRef(sha256(utf8("case key")), new Uint8Array(16));
    const verdict: Verdict = { region: 1, period: periodAt(1), silent: 1, orphan: 0, implausible: 0, conflict: 0, ref };
    await chain.commit(chain.at(verdictsDraft(chain.issuing, [verdict])));
    await chain.commit(chain.epoch({ k: 3 }));
    const next: Params = { ...chain.params, version: 2, da: aggregators(7) };
    await chain.commit(chain.at(paramsDraft(chain.issuing, next)));
    chain.adopt(next);
    expect((await chain.view.currentParams()).version).to.equal(2);
  });
});

/** Everything that the roles keep, and where the ledger stands. */
async function kept(run: Run): Promise<string> {
  const world = await run.world();
  const ledger = `${(await world.ledger.height()).toString()} ${toHex(world.ledger.tip)}`;
  await world.close();
  const database = await openDatabase(run.folder.roles);
  const entries: string[] = [ledger];
  for (const role of ["da/0", "da/1", "da/2", "da/3", "keys", "kgcbp", "meters", "world"]) {
    const all = await new LevelStore(database, role).range("");
    entries.push(...all.map(({ key, value }) => `${role} ${key} ${toHex(value)}`));
  }
  await database.close();
  return entries.join("\n");
}

async function inWorld<T>(run: Run, work: (world: World) => Promise<T>): Promise<T> {
  const world = await run.world();
  try {
    return await work(world);
  } finally {
    await world.close();
  }
}

/** Lives on until all regions have their first epoch, or never. */
async function epochsCommitted(world: World): Promise<void> {
  await world.advance(async () => (await world.view.regions()).length === 2);
}

async function codeOf(task: Promise<unknown>): Promise<string> {
  return task.then(
    () => "nothing",
    (error: unknown) => {
      if (isVeilgridError(error)) return error.code;
      throw error;
    },
  );
}

describe("what goes wrong at KGCBP and the aggregators is refused by code, with nothing changed", function () {
  this.timeout(120_000);

  it("a change dated into a sent epoch", async () => {
    const run = await beginRun(SMALL);
    await inWorld(run, epochsCommitted);
    const before = await kept(run);
    const { first } = run.record.input;
    // Hours ahead, and sent.
    const at: Period = { ...first, k: first.k + 5 };
    const [meter] = SMALL.households as [string];
    const codes = await inWorld(run, async (world) => {
      expect(world.clock.now()).to.be.lessThan(SMALL.starts[0] as number);
      return [
        await codeOf(world.changeMeter({ kind: "remove", meter, at })),
        await codeOf(world.changeMeter({ kind: "move", meter, at, region: 2 })),
        await codeOf(world.changeMeter({ kind: "sell", meter, at, customer: "the buyer" })),
        await codeOf(world.changeMeter({ kind: "rekey", meter, at, compromised: true })),
        await codeOf(world.kgcbp.elimination.eliminate(meter, { from: at })),
      ];
    });
    expect(codes).to.deep.equal(Array.from({ length: 5 }, () => "period-sent"));
    expect(await kept(run)).to.equal(before);
    // What a change needs is at hand: from the first period that was not sent it is made.
    await inWorld(run, async (world) => {
      const { from } = await world.kgcbp.elimination.eliminate(meter);
      expect(from.k).to.equal(first.k + 12);
    });
    expect(await kept(run)).to.not.equal(before);
  });

  it("an epoch that changes one that was sent and is not committed yet", async () => {
    const run = await beginRun(SMALL);
    const world = await run.world();
    try {
      // Nobody hears a proposal, so that what is sent waits.
      let deaf = true;
      world.network.drop(({ method }: Packet) => deaf && method === "propose");
      const sent: Uint8Array[] = [];
      world.network.drop(({ method, to, bytes, direction }: Packet) => {
        const isFirst = method === "transaction" && to === "da/DA1MSP" && direction === "request" && sent.length === 0;
        if (isFirst && bytes[0] === KIND.epoch) sent.push(bytes.slice());
        return false;
      });
      const begins = world.clock.now();
      await world.advance(() => Promise.resolve(world.clock.now() > begins + 1_830_000));
      const params = await world.view.currentParams();
      const { body } = decodeLeaf((sent[0] as Uint8Array).subarray(1));
      const epoch = epochCodec(params).decode(body);
      const { bits: bf1 } = BloomFilter.of("veilgrid/1/bf1", [], 2 * epoch.meters, params);
      const other = epochCodec(params).encode({
        ...epoch,
        entries: epoch.entries.map((entry, i) => (i === 3 ? { ...entry, bf1 } : entry)),
      });
      const { secret } = run.keys.kgcbp;
      const leaf = encodeLeaf(other, signBody("epoch", await world.view.consortium(), other, secret));
      const asked = new Stranger(world).ask(1, "transaction", encodeTransaction({ kind: KIND.epoch, leaf }), "kgcbp");
      await world.advance(() => Promise.resolve(asked.heard !== "silence"));
      expect(asked.heard).to.equal("bad-block");
      expect(await world.view.regions()).to.deep.equal([]);
      deaf = false;
      await epochsCommitted(world);
      const committed = await world.view.block(epoch.region, 1n);
      expect(toHex(decodeLeaf(committed?.block.leaves[0] as Uint8Array).body)).to.equal(toHex(body));
    } finally {
      await world.close();
    }
  });
});
