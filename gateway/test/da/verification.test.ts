import { VeilgridError, VerifiedSignatures, schnorr } from "@veilgrid/protocol";
import { expect } from "chai";
import type { SignatureCheck, Verifier } from "../../src/ports/verifier.js";
import { VerificationPool } from "../../src/verification/pool.js";
import { FIRST, Grid, outcome, outcomes, type Asked } from "./grid.js";

/** Answers when it is told to, and counts what it is asked. */
class HeldVerifier implements Verifier {
  readonly asked: SignatureCheck[] = [];
  isHeld = false;
  isBusy = false;
  #waiting: (() => void)[] = [];

  async verify(checks: readonly SignatureCheck[]): Promise<readonly boolean[]> {
    if (this.isBusy) throw new VeilgridError("verification-busy", "later", { blame: "nobody", retry: true });
    this.asked.push(...checks);
    if (this.isHeld) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return checks.map(({ message, key, signature }) => schnorr.verify(signature, message, key));
  }

  release(): void {
    this.isHeld = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Lets everything run that waits for nothing but its turn. */
function turns(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

describe("readings whose signatures are checked elsewhere", () => {
  let grid: Grid;
  let verifier: HeldVerifier;

  beforeEach(async () => {
    verifier = new HeldVerifier();
    grid = await new Grid({ verifier }).start();
    await grid.commitEpoch(1, 4, 5);
    await grid.run(grid.window(FIRST).opens);
  });

  /** Asks an aggregator outside of virtual time, so that nothing waits for the answer. */
  function ask(bytes: Uint8Array, da = 0): Asked {
    const asked: Asked = {};
    void grid.aggregator(da).handle("reading", bytes, (response) => {
      asked.response = response;
    });
    return asked;
  }

  function forged(bytes: Uint8Array): Uint8Array {
    return bytes.map((byte, i) => (i === 100 ? byte ^ 1 : byte));
  }

  it("get their receipts, each signature checked once by all aggregators of a process", async () => {
    const asked = grid.sendAll(1, FIRST, 5);
    await grid.seconds(3);
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
    expect(verifier.asked).to.have.length(10);
  });

  it("are checked once though many ask at once, and not again when they were", async () => {
    verifier.isHeld = true;
    const bytes = grid.reading(1, FIRST, 0, 0);
    const first = [ask(bytes), ask(bytes), ask(bytes)];
    await turns();
    expect(verifier.asked).to.have.length(1);
    verifier.release();
    await turns();
    await grid.seconds(3);
    expect(outcomes(first)).to.deep.equal({ accepted: 3 });
    const again = ask(bytes);
    await turns();
    expect([outcome(again), verifier.asked.length]).to.deep.equal(["accepted", 1]);
  });

  it("are refused where it is bad, unlisted ones without a check", async () => {
    const bad = ask(forged(grid.reading(1, FIRST, 0, 0)));
    const unlisted = ask(grid.reading(1, FIRST, 9, 0));
    await turns();
    expect([outcome(bad), outcome(unlisted)]).to.deep.equal(["bad-signature", "unknown-prid"]);
    expect(verifier.asked).to.have.length(1);
  });

  it("are late where the period was frozen meanwhile", async () => {
    verifier.isHeld = true;
    const asked = ask(grid.reading(1, FIRST, 0, 0));
    await turns();
    await grid.run(grid.window(FIRST).freezes + 1_000);
    verifier.release();
    await turns();
    await grid.seconds(3);
    expect(outcome(asked)).to.equal("window-late");
  });

  it("are a conflict where another of the PRID was claimed meanwhile", async () => {
    verifier.isHeld = true;
    const both = [ask(grid.reading(1, FIRST, 0, 0, 1n)), ask(grid.reading(1, FIRST, 0, 0, 2n))];
    await turns();
    verifier.release();
    await turns();
    await grid.seconds(3);
    expect(outcomes(both)).to.deep.equal({ accepted: 1, "other-reading": 1 });
  });

  it("are to come again where too many wait, and no bundle is acked then", async () => {
    verifier.isBusy = true;
    const bytes = grid.reading(1, FIRST, 0, 0);
    const turned = ask(bytes);
    await turns();
    expect(outcome(turned)).to.equal("busy");
    verifier.isBusy = false;
    const again = ask(bytes);
    await turns();
    await grid.seconds(3);
    expect(outcome(again)).to.equal("accepted");
  });

  it("are acked by threads as by the aggregator itself", async () => {
    const pool = new VerificationPool({ threads: 1 });
    const threaded = await new Grid({ verifier: pool, memory: new VerifiedSignatures(1_000) }).start();
    await threaded.commitEpoch(1, 4, 5);
    await threaded.run(threaded.window(FIRST).opens);
    const asked = threaded.sendAll(1, FIRST, 5);
    await threaded.run(threaded.window(FIRST).freezes);
    await threaded.until(async () => (await threaded.view.readings(1, FIRST)) !== undefined, 60);
    await pool.stop();
    expect(outcomes(asked)).to.deep.equal({ accepted: 10 });
    expect((await threaded.view.readings(1, FIRST))?.count).to.equal(10);
  });
});
