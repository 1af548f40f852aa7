import { expect } from "chai";
import {
  concat,
  decodeElections,
  decodeTimeouts,
  decodeVotes,
  electionCodec,
  encodeCertificate,
  isVeilgridError,
  maxFaulty,
  quorum,
  signStruct,
  timeoutCodec,
  verifyElection,
  verifyTimeouts,
  verifyVotes,
  voteCodec,
  type Params,
  type Signed,
  type VoteSubject,
} from "../../src/index.js";
import { CONSORTIUM, PARAMS, SECRETS } from "./consortium.js";

const SUBJECT: VoteSubject = {
  params: 1,
  region: 1,
  number: 7n,
  term: 3n,
  round: 0,
  cbh: new Uint8Array(32).fill(0xcb),
};

function vote(da: number, change: Partial<VoteSubject> = {}, secret = SECRETS[da] as Uint8Array): Signed<unknown> {
  return signStruct("vote", CONSORTIUM, voteCodec, { ...SUBJECT, ...change, da }, secret);
}

/** The code that checking the votes ends with, or "accepted". */
function verdict(votes: readonly Signed<unknown>[], subject = SUBJECT, consortium = CONSORTIUM): string {
  return outcome(() => {
    verifyVotes(consortium, PARAMS, encodeCertificate(votes), subject);
  });
}

function outcome(check: () => void): string {
  try {
    check();
    return "accepted";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

describe("quorum", () => {
  it("is 3 of 4, 4 of 5, 5 of 7, as section 1 says", () => {
    expect([1, 2, 3, 4, 5, 7, 10].map(quorum)).to.deep.equal([1, 2, 2, 3, 4, 5, 7]);
    expect([1, 3, 4, 6, 7, 10].map(maxFaulty)).to.deep.equal([0, 0, 1, 1, 2, 3]);
  });

  it("has two of them share an honest DA, and the honest ones alone form one", () => {
    for (let members = 1; members <= 120; members += 1) {
      expect(2 * quorum(members) - members, `${members} members`).to.be.greaterThan(maxFaulty(members));
      expect(members - maxFaulty(members), `${members} members`).to.be.at.least(quorum(members));
    }
  });
});

describe("vote certificate", () => {
  it("is accepted from any quorum, in whatever order the votes came", () => {
    expect(verdict([vote(0), vote(1), vote(3)])).to.equal("accepted");
    expect(verdict([vote(3), vote(2), vote(1)])).to.equal("accepted");
  });

  it("stands in ascending order with 121 bytes a vote", () => {
    const bytes = encodeCertificate([vote(3), vote(0), vote(1)]);
    expect(bytes.length).to.equal(3 * 121);
    expect(decodeVotes(bytes, 3).map(({ body }) => body.da)).to.deep.equal([0, 1, 3]);
  });

  it("is refused with a vote less, a vote more, or a DA twice", () => {
    expect(verdict([vote(0), vote(1)])).to.equal("too-few-votes");
    expect(verdict([])).to.equal("too-few-votes");
    expect(verdict([vote(0), vote(1), vote(1)])).to.equal("duplicate-voter");
    expect(verdict([vote(0), vote(1), vote(2), vote(3)])).to.equal("malformed");
  });

  it("is refused with half a vote, or votes out of order", () => {
    const [a, b, c] = [vote(0), vote(1), vote(2)].map(({ bytes, sig }) => concat(bytes, sig));
    const half = concat(a as Uint8Array, b as Uint8Array, (c as Uint8Array).subarray(1));
    const swapped = concat(b as Uint8Array, a as Uint8Array, c as Uint8Array);
    for (const bytes of [half, swapped]) {
      expect(
        outcome(() => {
          verifyVotes(CONSORTIUM, PARAMS, bytes, SUBJECT);
        }),
      ).to.equal("malformed");
    }
  });

  it("is refused with votes that differ from each other", () => {
    expect(verdict([vote(0), vote(1), vote(2, { round: 1 })])).to.equal("malformed");
  });

  it("is refused for another block, term, round, number, chain or params version", () => {
    const others: Partial<VoteSubject>[] = [
      { cbh: new Uint8Array(32).fill(0xcc) },
      { term: 2n },
      { round: 1 },
      { number: 8n },
      { region: 2 },
    ];
    for (const other of others) {
      expect(verdict([vote(0, other), vote(1, other), vote(2, other)]), Object.keys(other)[0]).to.equal("other-block");
    }
    const ofVersion2 = [0, 1, 2].map((da) => vote(da, { params: 2 }));
    expect(verdict(ofVersion2)).to.equal("wrong-params");
    expect(verdict([vote(0), vote(1), vote(2)], { ...SUBJECT, params: 2 })).to.equal("other-block");
  });

  it("is refused from a stranger, under another's key, or from another consortium", () => {
    expect(verdict([vote(0), vote(1), vote(4, {}, SECRETS[2])])).to.equal("not-a-member");
    expect(verdict([vote(0), vote(1), vote(2, {}, SECRETS[3])])).to.equal("bad-signature");
    expect(verdict([vote(0), vote(1), vote(2)], SUBJECT, new Uint8Array(32))).to.equal("bad-signature");
  });

  it("is refused with signatures made for another purpose", () => {
    const [first, second, third] = [vote(0), vote(1), vote(2)];
    const secret = SECRETS[2] as Uint8Array;
    const other = signStruct("ack", CONSORTIUM, { encode: () => third.bytes, decode: String }, "", secret);
    expect(verdict([first, second, other])).to.equal("bad-signature");
  });
});

describe("election certificate", () => {
  const election = (voter: number, candidate = 2, params = 1): Signed<unknown> =>
    signStruct(
      "election",
      CONSORTIUM,
      electionCodec,
      { params, term: 4n, candidate, voter },
      SECRETS[voter] as Uint8Array,
    );

  it("names its term and candidate", () => {
    const bytes = encodeCertificate([election(2), election(3), election(0)]);
    expect(bytes.length).to.equal(3 * 76);
    expect(verifyElection(CONSORTIUM, PARAMS, bytes)).to.deep.equal({ params: 1, term: 4n, candidate: 2 });
    expect(decodeElections(bytes, 3).map(({ body }) => body.voter)).to.deep.equal([0, 2, 3]);
  });

  it("is refused for a candidate that is no member, or votes for two", () => {
    const refused = (list: Signed<unknown>[], set: Params = PARAMS): string =>
      outcome(() => verifyElection(CONSORTIUM, set, encodeCertificate(list)));
    expect(refused([0, 1, 2].map((voter) => election(voter, 4)))).to.equal("not-a-member");
    expect(refused([election(0, 1), election(1), election(2)])).to.equal("malformed");
    expect(refused([0, 1, 2].map((voter) => election(voter, 2, 3)))).to.equal("wrong-params");
    expect(refused([election(0), election(1)])).to.equal("too-few-votes");
  });
});

describe("timeout certificate", () => {
  const timeout = (da: number, term = 0n): Signed<unknown> =>
    signStruct("timeout", CONSORTIUM, timeoutCodec, { params: 1, term, da }, SECRETS[da] as Uint8Array);

  it("names its term, which may be 0", () => {
    const bytes = encodeCertificate([timeout(1), timeout(0), timeout(3)]);
    expect(bytes.length).to.equal(3 * 75);
    expect(verifyTimeouts(CONSORTIUM, PARAMS, bytes)).to.deep.equal({ params: 1, term: 0n });
    expect(decodeTimeouts(bytes, 3).map(({ body }) => body.da)).to.deep.equal([0, 1, 3]);
  });

  it("is refused with timeouts of two terms", () => {
    const mixed = encodeCertificate([timeout(0), timeout(1), timeout(2, 1n)]);
    expect(outcome(() => verifyTimeouts(CONSORTIUM, PARAMS, mixed))).to.equal("malformed");
  });
});
