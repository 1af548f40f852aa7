import { schnorr, sha256, utf8 } from "@veilgrid/protocol";
import { expect } from "chai";
import type { SignatureCheck } from "../../src/ports/verifier.js";
import { VerificationPool } from "../../src/verification/pool.js";
import { secretOf } from "../support/committee.js";
import { problemIn } from "../support/scratch.js";

const SECRET = secretOf("a signer");
const KEY = schnorr.publicKey(SECRET);

/** The nth check, good or not. */
function check(n: number, good = true): SignatureCheck {
  const message = sha256(utf8(`message ${n}`));
  const signature = schnorr.sign(message, SECRET);
  return { message, key: KEY, signature: good ? signature : signature.map((byte, i) => (i === 40 ? byte ^ 1 : byte)) };
}

/** Those of 150 that are good: more than two batches. */
const GOOD = Array.from({ length: 150 }, (_, n) => n % 7 !== 3);
const CHECKS = GOOD.map((good, n) => check(n, good));

describe("a pool of verifying threads", () => {
  for (const threads of [2, 0]) {
    describe(`of ${threads}`, () => {
      let pool: VerificationPool;
      beforeEach(() => {
        pool = new VerificationPool({ threads, waiting: 200 });
      });
      afterEach(() => pool.stop());

      it("gives the verdicts in the order of the checks", async () => {
        expect(await pool.verify(CHECKS)).to.deep.equal(GOOD);
      });

      it("answers many at a time, each what it asked", async () => {
        const asked = await Promise.all(CHECKS.map((one) => pool.verify([one])));
        expect(asked.flat()).to.deep.equal(GOOD);
      });

      it("finds what is malformed bad, and nothing to check done", async () => {
        const { message, key, signature } = check(0);
        const checks = [
          { message: message.slice(1), key, signature },
          check(1),
          { message, key: new Uint8Array(33), signature },
          { message, key, signature: signature.slice(1) },
        ];
        expect(await pool.verify(checks)).to.deep.equal([false, true, false, false]);
        expect(await pool.verify([])).to.deep.equal([]);
      });

      it("refuses more than may wait, and takes more when they are done", async () => {
        const first = pool.verify(CHECKS);
        // What the threads have at once does not wait: a second order may still be taken.
        const second = pool.verify(CHECKS).catch(() => GOOD);
        const error = await problemIn(pool.verify(CHECKS));
        expect(error).to.include({ code: "verification-busy", retry: true });
        expect(await Promise.all([first, second])).to.deep.equal([GOOD, GOOD]);
        expect(pool.waiting).to.equal(0);
        expect(await pool.verify(CHECKS)).to.deep.equal(GOOD);
      });

      it("answers what it was asked before it stopped, and nothing after", async () => {
        const asked = pool.verify(CHECKS);
        await pool.stop();
        expect(await asked).to.deep.equal(GOOD);
        expect((await problemIn(pool.verify(CHECKS))).code).to.equal("verification-busy");
      });
    });
  }

  it("leaves the event loop free meanwhile", async () => {
    const pool = new VerificationPool({ threads: 1 });
    await pool.verify([check(0)]);
    let turns = 0;
    let isDone = false;
    const turn = (): void => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    await pool.verify(CHECKS);
    isDone = true;
    await pool.stop();
    expect(turns).to.be.above(3);
  });
});
