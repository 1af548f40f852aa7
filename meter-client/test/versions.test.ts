import { expect } from "chai";
import {
  KIND,
  NO_PERIOD,
  blockCodec,
  blockHash,
  composeParamsLeaf,
  concat,
  encodeCertificate,
  encodeParamsProofs,
  headerCodec,
  merkleRoot,
  nextParams,
  periodStart,
  provePossession,
  quorum,
  schnorr,
  signBody,
  signStruct,
  utf8,
  voteCodec,
  H2,
  type Params,
  type ParamsChange,
  type ParamsProof,
} from "@veilgrid/protocol";
import { Versions } from "../src/versions.js";
import { Aggregators, CONSORTIUM, CountingStore, PARAMS, VirtualClock } from "./world.js";

const START = Date.UTC(2026, 2, 30);
const DAY = 86_400_000;
const secretOf = (name: string): Uint8Array => H2(utf8(name));
const newKey = (name: string): Uint8Array => schnorr.publicKey(secretOf(name));

/** A committed params block; `by` are the secrets of its voters, by index in the version before. */
function proofOf(
  before: Params,
  change: ParamsChange,
  since: number,
  by: readonly string[],
  fresh: readonly string[] = [],
): { proof: ParamsProof; next: Params } {
  const next = nextParams(before, [change]);
  const possessions = fresh.map((name) => provePossession(CONSORTIUM, next, secretOf(name)));
  const leaves = [composeParamsLeaf(CONSORTIUM, before, next, possessions)];
  const header = {
    consortium: CONSORTIUM,
    region: 0,
    kind: KIND.params,
    number: BigInt(before.version),
    prev: new Uint8Array(32),
    root: merkleRoot(leaves),
    count: 1,
    params: before.version,
    term: 1n,
    round: 0,
    period: NO_PERIOD,
    aggFault: false,
    leader: (before.da[0] as Params["cc"]).key,
    ts: BigInt(since),
  };
  const cbh = blockHash(headerCodec.encode(header));
  const { params, region, number, term, round } = header;
  const votes = by.map((name, da) =>
    signStruct("vote", CONSORTIUM, voteCodec, { params, region, number, term, round, cbh, da }, secretOf(name)),
  );
  const scbh = signBody("header", CONSORTIUM, cbh, secretOf(by[0] as string));
  return { proof: { block: blockCodec.encode({ header, scbh, leaves }), cert: encodeCertificate(votes) }, next };
}

const Q = ["da0", "da1", "da2"];
const second = proofOf(PARAMS, { what: "rotate-da", msp: "da0", key: newKey("da0 2") }, START, Q, ["da0 2"]);
const third = proofOf(second.next, { what: "set", values: { roundSeconds: 4 } }, START + DAY, ["da0 2", "da1", "da2"]);

function world(store = new CountingStore()): {
  clock: VirtualClock;
  das: Aggregators;
  versions: Versions;
  log: string[];
} {
  const clock = new VirtualClock(START);
  const das = new Aggregators(clock);
  const log: string[] = [];
  const versions = new Versions(
    { name: "7", consortium: CONSORTIUM, installed: PARAMS },
    { clock, store, transport: das, memory: undefined, log: (_level, event) => log.push(event) },
  );
  return { clock, das, versions, log };
}

const answering =
  (...proofs: readonly ParamsProof[]) =>
  (): Uint8Array =>
    concat(Uint8Array.of(1), encodeParamsProofs(proofs));

async function told(answer: () => Uint8Array, store?: CountingStore): Promise<ReturnType<typeof world>> {
  const made = world(store);
  made.das.versions = answer;
  void made.versions.learn("da/da1", () => undefined);
  await made.clock.run(START + 1_000);
  return made;
}

describe("versions that a meter knows", () => {
  it("grow by what the votes of the version before prove, and stay on disk", async () => {
    expect(quorum(4)).to.equal(3);
    const store = new CountingStore();
    const { versions } = await told(answering(second.proof, third.proof), store);
    expect(versions.newest).to.deep.equal(third.next);
    expect(world(store).versions.newest).to.deep.equal(third.next);
    expect([2, 3, 4].map((version) => versions.isNews(version))).to.deep.equal([false, false, true]);
  });

  it("do not grow by anything else, and never go back", async () => {
    const forged = proofOf(PARAMS, { what: "set", values: { roundSeconds: 4 } }, START, ["da0", "da1", "stranger"]);
    const few = { ...second.proof, cert: second.proof.cert.slice(0, (second.proof.cert.length / 3) * 2) };
    // The key that version 2 replaced votes no more.
    const retired = proofOf(second.next, { what: "set", values: { roundSeconds: 4 } }, START, Q);
    for (const bad of [answering(third.proof), answering(forged.proof), answering(few), () => Uint8Array.of(1, 2, 3)]) {
      const { versions, log } = await told(bad);
      expect(versions.newest).to.deep.equal(PARAMS);
      expect(log).to.deep.equal(["params-unproved"]);
    }
    const store = new CountingStore();
    await told(answering(second.proof), store);
    const { versions } = await told(answering(retired.proof), store);
    expect(versions.newest).to.deep.equal(second.next);
    expect((await told(answering(second.proof), store)).versions.newest).to.deep.equal(second.next);
    expect((await told(() => Uint8Array.of(3), store)).versions.newest).to.deep.equal(second.next);
  });

  it("rule acks in their time: an old one's keys count only for the epochs that it can still have", async () => {
    const { versions } = await told(answering(second.proof, third.proof));
    const period = (ms: number): { month: number; k: number } => {
      const day = Math.floor((ms - periodStart({ month: 12 * 2026 + 2, k: 0 }, 1800)) / 1_800_000);
      return { month: 12 * 2026 + 2, k: day };
    };
    const soon = period(START + DAY + 3_600_000);
    const later = { month: 12 * 2026 + 3, k: 4 * 48 };
    expect(versions.ruling(1, soon)).to.deep.equal(PARAMS);
    expect(versions.ruling(1, later)).to.equal(undefined);
    expect(versions.ruling(2, later)).to.deep.equal(second.next);
    expect(versions.ruling(3, later)).to.deep.equal(third.next);
    expect(versions.ruling(4, later)).to.equal(undefined);
  });

  it("are asked of a DA once a minute, and all who wait hear of the one answer", async () => {
    const { clock, das, versions } = world();
    let asked = 0;
    let heard = 0;
    das.versions = () => {
      asked += 1;
      return answering(second.proof)();
    };
    for (let i = 0; i < 3; i += 1) void versions.learn("da/da2", () => void (heard += 1));
    await clock.run(START + 1_000);
    void versions.learn("da/da2", () => void (heard += 1));
    expect([asked, heard]).to.deep.equal([1, 4]);
    await clock.run(START + 61_000);
    void versions.learn("da/da2", () => void (heard += 1));
    await clock.run(START + 62_000);
    expect([asked, heard]).to.deep.equal([2, 5]);
  });
});
