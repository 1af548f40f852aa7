import { fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { NO_BLOCK, blockHash, decodeBlock } from "../../src/ledger/block.js";
import { StateDatabase } from "../../src/ledger/state.js";
import type { KeyedEntry } from "../../src/ledger/state.js";
import { Notes } from "./contract.js";
import { notes } from "./conformance.js";
import { Folders, openLedger, organisations } from "./world.js";

const WRITER = fileURLToPath(new URL("writer.js", import.meta.url));
/** How many rounds the writer may report before it is killed; what it is in the middle of then is chance. */
const ROUNDS =
  process.env.SLOW === undefined ? [0, 1, 5, 2, 13, 40] : Array.from({ length: 60 }, (_, i) => (i * 7) % 53);

/** Runs the writer, kills it after `rounds` reports, and returns how many came. */
async function killAfter(path: string, rounds: number): Promise<number> {
  const child = fork(WRITER, [path], { stdio: "ignore" });
  let reports = 0;
  child.on("message", () => {
    reports += 1;
    if (reports >= rounds) child.kill("SIGKILL");
  });
  if (rounds === 0) child.on("spawn", () => child.kill("SIGKILL"));
  const [, signal] = (await once(child, "exit")) as [number | null, string | null];
  expect(signal).to.equal("SIGKILL");
  return reports;
}

/** Checks the chain of blocks and that the state is what they say, to the version; returns the counter's value. */
async function examine(path: string): Promise<number> {
  const db = await StateDatabase.open(path);
  const state = new Map<string, KeyedEntry>();
  let prev = NO_BLOCK;
  for (let number = 0n; number < db.tip.height; number += 1n) {
    const bytes = db.block(number) as Uint8Array;
    const { transactions } = decodeBlock(bytes, number, prev);
    prev = blockHash(bytes);
    for (const [transaction, { writes, validation }] of transactions.entries()) {
      expect(validation).to.equal("VALID");
      for (const { key, value } of writes) {
        if (value === undefined) state.delete(key);
        else state.set(key, { key, value, version: { block: number, transaction } });
      }
    }
  }
  expect(db.tip.hash).to.deep.equal(prev);
  expect(db.block(db.tip.height)).to.equal(undefined);
  const cursor = db.current.range("", "");
  const entries = await cursor.next(1000);
  await cursor.close();
  const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);
  expect(entries).to.deep.equal([...state.values()].sort(byKey));
  await db.close();
  return Number(Buffer.from(state.get("count")?.value ?? []).toString());
}

describe("a ledger whose process is killed", () => {
  const folders = new Folders();

  after(() => {
    folders.remove();
  });

  it("has every block that was reported, each whole or not at all, and goes on", async function () {
    this.timeout(ROUNDS.length * 10_000);
    const path = folders.make();
    let reported = 0;
    for (const rounds of ROUNDS) {
      reported += await killAfter(path, rounds);
      const count = await examine(path);
      expect(count, "what was committed is there").to.be.at.least(reported);
      reported = count;
    }
    expect(reported).to.be.greaterThan(50);
  });

  it("is a shorter ledger, never another, when the end of what it was writing is lost", async () => {
    const whole = folders.make();
    const ledger = await openLedger(whole, { endorsers: organisations([Notes]) });
    const client = ledger.as({ msp: "Org1" });
    const sizes: number[] = [];
    const log = (): string => join(whole, readdirSync(whole).find((name) => name.endsWith(".log")) as string);
    for (let i = 0; i < 4; i += 1) {
      await client.submit(notes("increment", "count"));
      sizes.push(statSync(log()).size);
    }
    await ledger.close();
    for (let size = 0; size <= statSync(log()).size; size += 29) {
      const cut = folders.make();
      cpSync(whole, cut, { recursive: true });
      truncateSync(log().replace(whole, cut), size);
      expect(await examine(cut), `cut to ${size}`).to.equal(sizes.filter((end) => end <= size).length);
    }
  });
});
