import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { expect } from "chai";
import type { EmbeddedLedger } from "../../src/ledger/embedded.js";
import { exportLedger } from "../../src/ledger/export.js";
import { LedgerFile } from "../../src/ledger/ledgerfile.js";
import { Notes } from "./contract.js";
import { all, failure, notes } from "./conformance.js";
import { Folders, openLedger, organisations } from "./world.js";

describe("a ledger in a file", () => {
  const folders = new Folders();
  let folder: string;
  let ledger: EmbeddedLedger;
  let plainFile: string;

  before(async () => {
    folder = folders.make();
    ledger = await openLedger(folders.make(), { endorsers: organisations([Notes]) });
    const client = ledger.as({ msp: "Org1" });
    for (const key of ["a", "b", "c"]) await client.submit(notes("put", key, key.repeat(5)));
    await Promise.allSettled(["n", "n", "n"].map((key) => client.submit(notes("increment", key))));
    plainFile = join(folder, "ledger");
    await exportLedger(ledger, plainFile);
  });

  after(async () => {
    await ledger.close();
    folders.remove();
  });

  /** The code with which a file of these bytes is refused. */
  async function refused(bytes: Uint8Array, name = "tried"): Promise<string> {
    const file = join(folder, name);
    writeFileSync(file, bytes);
    return (await failure(new LedgerFile(file).tip())).code;
  }

  for (const name of ["ledger.bin", "ledger.gz"]) {
    it(`has the ledger's blocks, events and last hash (${name})`, async () => {
      const file = join(folder, name);
      const tip = await exportLedger(ledger, file);
      expect(tip).to.deep.equal({ height: await ledger.height(), hash: ledger.tip });
      const read = new LedgerFile(file);
      expect(await read.tip()).to.deep.equal(tip);
      expect(await all(read.blocks(0n))).to.deep.equal(await all(ledger.blocks(0n)));
      expect(await all(read.blocks(2n))).to.deep.equal(await all(ledger.blocks(2n)));
      expect(await all(read.blocks(99n))).to.deep.equal([]);
      expect(await all(read.events(1n))).to.deep.equal(await all(ledger.events(1n)));
      expect(readdirSync(folder)).not.to.include(`${name}.part`);
    });
  }

  it("is the same bytes each time, and again when exported from a file", async () => {
    const bytes = readFileSync(plainFile);
    const again = join(folder, "again");
    await exportLedger(new LedgerFile(plainFile), again);
    expect(readFileSync(again).equals(bytes)).to.equal(true);
    const zipped = join(folder, "again.gz");
    await exportLedger(ledger, zipped);
    expect(gunzipSync(readFileSync(zipped)).equals(bytes)).to.equal(true);
  });

  it("may be of an empty ledger", async () => {
    const empty = await openLedger(folders.make(), { endorsers: organisations([Notes]) });
    const file = join(folder, "empty");
    await exportLedger(empty, file);
    expect(await new LedgerFile(file).tip()).to.deep.equal({ height: 0n, hash: new Uint8Array(32) });
    await empty.close();
  });

  it("is refused wherever it is cut off", async () => {
    const bytes = readFileSync(plainFile);
    for (let end = 0; end < bytes.length; end += end < 9 ? 1 : 37) {
      const code = end < 9 ? "ledger-file-foreign" : "ledger-file-truncated";
      expect(await refused(bytes.subarray(0, end)), `cut to ${end}`).to.equal(code);
    }
    expect(await refused(bytes.subarray(0, -1))).to.equal("ledger-file-truncated");
    const zipped = gzipSync(bytes);
    expect(await refused(zipped.subarray(0, zipped.length / 2), "tried.gz")).to.equal("ledger-file-truncated");
  });

  it("is refused with any byte changed", async () => {
    const bytes = readFileSync(plainFile);
    for (let at = 9; at < bytes.length; at += 41) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] as number) ^ 0x01;
      expect(await refused(changed), `byte ${at}`).to.be.oneOf(["ledger-file-garbled", "ledger-file-truncated"]);
    }
    expect(await refused(Buffer.concat([bytes, Buffer.of(0)]))).to.equal("ledger-file-garbled");
    expect(await refused(bytes, "not-zipped.gz")).to.equal("ledger-file-garbled");
  });

  it("is refused without one of its blocks, or with two in the wrong order", async () => {
    const bytes = readFileSync(plainFile);
    const frames: Buffer[] = [];
    for (let at = 9; bytes.readUInt32BE(at) > 0; at += 4 + bytes.readUInt32BE(at)) {
      frames.push(bytes.subarray(at, at + 4 + bytes.readUInt32BE(at)));
    }
    const head = bytes.subarray(0, 9);
    const end = bytes.subarray(-44);
    const [first, second, ...others] = frames as [Buffer, Buffer];
    expect(await refused(Buffer.concat([head, first, ...others, end]))).to.equal("ledger-file-garbled");
    expect(await refused(Buffer.concat([head, second, first, ...others, end]))).to.equal("ledger-file-garbled");
    expect(await refused(Buffer.concat([head, ...frames.slice(0, -1), end]))).to.equal("ledger-file-garbled");
  });

  it("is told from other files, and from none", async () => {
    expect(await refused(Buffer.from("meter,2013-04-08T00:00:00Z"))).to.equal("ledger-file-foreign");
    expect(await refused(Buffer.concat([Buffer.from("VGLEDGER\x03"), readFileSync(plainFile).subarray(9)]))).to.equal(
      "ledger-file-foreign",
    );
    const missing = await failure(new LedgerFile(join(folder, "nowhere")).tip());
    expect(missing.code).to.equal("ledger-file-unreadable");
    expect(missing.facts.why).to.equal("it cannot be read (ENOENT)");
    expect((await failure(new LedgerFile(join(folder, "nowhere.gz")).tip())).code).to.equal("ledger-file-unreadable");
  });

  it("says where the fault is, and gives the blocks before it", async () => {
    const bytes = readFileSync(plainFile);
    const second = 9 + 4 + bytes.readUInt32BE(9);
    bytes.writeUInt8(bytes.readUInt8(second + 100) ^ 1, second + 100);
    const file = join(folder, "fault");
    writeFileSync(file, bytes);
    const numbers: bigint[] = [];
    const walk = async (): Promise<void> => {
      for await (const { number } of new LedgerFile(file).blocks(0n)) numbers.push(number);
    };
    const error = await failure(walk());
    expect(error.code).to.equal("ledger-file-garbled");
    expect(error.facts.block).to.equal("1");
    expect(numbers).to.deep.equal([0n]);
  });

  it("can be left in the middle", async () => {
    for await (const { number } of new LedgerFile(plainFile).blocks(0n)) {
      expect(number).to.equal(0n);
      break;
    }
  });

  it("does not appear under its name when the export fails", async () => {
    const file = join(folder, "failed");
    const broken = {
      async *blocks(from: bigint): ReturnType<EmbeddedLedger["blocks"]> {
        yield* ledger.blocks(from);
        throw new Error("the peer is gone");
      },
    };
    const outcome: unknown = await exportLedger(broken, file).catch(String);
    expect(outcome).to.equal("Error: the peer is gone");
    expect(readdirSync(folder).filter((name) => name.startsWith("failed"))).to.deep.equal([]);
  });
});
