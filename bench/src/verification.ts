import { availableParallelism } from "node:os";
import { VerificationPool, type SignatureCheck } from "@veilgrid/gateway";
import { VerifiedSignatures, fromHex, schnorr, sha256, utf8 } from "@veilgrid/protocol";
import { printRatios, type Measured } from "./ratios.js";

const SECRET = fromHex("01".repeat(32));
const CHECKS = 8_000;
const ROUNDS = 5;
const MILLISECOND = 1e6;

interface Run {
  readonly perSecond: number;
  /** The longest that the event loop did nothing else, milliseconds. */
  readonly stall: number;
}

/** The best of some rounds, and the longest pause of the event loop in it. */
async function measured(work: () => Promise<void> | void): Promise<Run> {
  const runs: Run[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    let stall = 0;
    let last = process.hrtime.bigint();
    const beat = setInterval(() => {
      const now = process.hrtime.bigint();
      stall = Math.max(stall, Number(now - last) / MILLISECOND);
      last = now;
    }, 1);
    const begin = process.hrtime.bigint();
    await work();
    const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
    await new Promise((resolve) => setTimeout(resolve, 5));
    clearInterval(beat);
    runs.push({ perSecond: CHECKS / seconds, stall });
  }
  return runs.reduce((best, run) => (run.perSecond > best.perSecond ? run : best));
}

/** Readings' signatures by an aggregator's process: on the event loop, in threads, and remembered. */
export async function benchVerification(): Promise<void> {
  const key = schnorr.publicKey(SECRET);
  const checks: SignatureCheck[] = Array.from({ length: CHECKS }, (_, i) => {
    const message = sha256(utf8(`reading ${i}`));
    return { message, key, signature: schnorr.sign(message, SECRET) };
  });
  const what = `${CHECKS} signatures (${schnorr.name})`;
  const loop = "on the event loop";
  const rows: (Measured & { readonly stall: number })[] = [];
  const add = async (by: string, work: () => Promise<void> | void): Promise<void> => {
    rows.push({ what, by, ...(await measured(work)) });
  };
  await add(loop, () => {
    for (const { message, key: by, signature } of checks) schnorr.verify(signature, message, by);
  });
  for (let threads = 1; threads <= availableParallelism(); threads += 1) {
    const pool = new VerificationPool({ threads, waiting: CHECKS });
    await pool.verify(checks.slice(0, 64 * threads));
    await add(`in ${threads} thread${threads === 1 ? "" : "s"}`, async () => {
      await pool.verify(checks);
    });
    await pool.stop();
  }
  const memory = new VerifiedSignatures(4 * CHECKS);
  for (const { message, key: by, signature } of checks) memory.learn(message, by, signature);
  await add("remembered", () => {
    for (const { message, key: by, signature } of checks) memory.verify(message, by, signature);
  });
  printRatios("Verification by one process (per second)", loop, rows);
  for (const { by, stall } of rows) console.log(`  longest pause of the event loop ${by}: ${stall.toFixed(1)} ms`);
}
