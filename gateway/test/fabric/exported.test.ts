import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concat, sha256, toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import { decodeBlock } from "../../src/fabric/block.js";
import { bytesField } from "../../src/fabric/protobuf.js";
import { readBlock } from "../../src/fabric/rawblock.js";
import { exportLedger, type Exportable } from "../../src/ledger/export.js";
import { LedgerFile } from "../../src/ledger/ledgerfile.js";
import { openLedgerFile } from "../../src/ledger/stored.js";
import { all, failure } from "../ledger/conformance.js";
import { REAL_BLOCKS } from "./channel.js";

/** SHA-256 of the last real block's header. */
const TIP = "cc919370d8205b978eefb4ee9ee4724628f13b040c87fc6bda5ee09fb4cf8861";

async function* listed<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
  await Promise.resolve();
}

/** The channel as one peer has it. */
function channelOf(blocks: readonly Uint8Array[]): Exportable {
  return {
    blocks: (from) => listed(blocks.slice(Number(from)).map((raw) => decodeBlock(raw, "veilgrid"))),
    channel: () => Promise.resolve({ chaincode: "veilgrid", rawBlocks: (from) => listed(blocks.slice(Number(from))) }),
  };
}

/** The block as another peer has it, whose orderer gathered other signatures. */
function signedOtherwise(raw: Uint8Array): Uint8Array {
  const { number, previous, dataHash, data, flags, commitHash } = readBlock(raw);
  const header = concat(Uint8Array.of(0x08, Number(number)), bytesField(2, previous), bytesField(3, dataHash));
  const items = ["other signatures", "", flags, "", commitHash === undefined ? "" : bytesField(1, commitHash)];
  const metadata = items.map((item) => bytesField(1, typeof item === "string" ? Buffer.from(item) : item));
  const envelopes = concat(...data.map((envelope) => bytesField(1, envelope)));
  return concat(bytesField(1, header), bytesField(2, envelopes), bytesField(3, concat(...metadata)));
}

describe("a Fabric channel in a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "veilgrid-exported-"));
  const file = join(folder, "ledger");

  before(() => exportLedger(channelOf(REAL_BLOCKS), file));

  after(() => {
    rmSync(folder, { recursive: true });
  });

  async function refused(bytes: Uint8Array): Promise<string> {
    const tried = join(folder, "tried");
    writeFileSync(tried, bytes);
    return (await failure(new LedgerFile(tried).tip())).code;
  }

  it("has the channel's blocks, and the hash that its peers tell", async () => {
    const read = new LedgerFile(file);
    const { height, hash } = await read.tip();
    expect([height, toHex(hash)]).to.deep.equal([9n, TIP]);
    expect(await all(read.blocks(0n))).to.deep.equal(await all(channelOf(REAL_BLOCKS).blocks(0n)));
    expect(await all(read.blocks(8n))).to.have.length(1);
    expect((await all(read.events(0n))).map(({ name }) => name)).to.deep.equal(["setup"]);
  });

  it("is replayed as any ledger is", async () => {
    const ledger = await openLedgerFile(file);
    expect(toHex((await ledger.state.get("params")) as Uint8Array)).to.equal("0001");
    expect(toHex(ledger.tip.hash)).to.equal(TIP);
    await ledger.close();
  });

  it("is the same bytes whichever peer gives the blocks, and again when exported from a file", async () => {
    const bytes = readFileSync(file);
    const sources = { peer: channelOf(REAL_BLOCKS.map(signedOtherwise)), again: new LedgerFile(file) };
    for (const [name, source] of Object.entries(sources)) {
      const other = join(folder, name);
      expect(toHex((await exportLedger(source, other)).hash)).to.equal(TIP);
      expect(readFileSync(other).equals(bytes), name).to.equal(true);
    }
  });

  it("is refused wherever it is cut off, and with any byte changed", async () => {
    const bytes = readFileSync(file);
    for (let at = 9; at < bytes.length; at += 1013) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] as number) ^ 0x01;
      const codes = ["ledger-file-garbled", "ledger-file-truncated"];
      expect(await refused(changed), `byte ${at}`).to.be.oneOf(codes);
      expect(await refused(bytes.subarray(0, at)), `cut to ${at}`).to.equal("ledger-file-truncated");
    }
    expect(await refused(concat(bytes, Uint8Array.of(0)))).to.equal("ledger-file-garbled");
  });

  it("is refused with another verdict, which no header covers", async () => {
    const bytes = Uint8Array.from(readFileSync(file));
    // MVCC_READ_CONFLICT behind VALID, as the metadata of block 7 has them.
    const at = Buffer.from(bytes).indexOf(Buffer.from([0x0a, 0x02, 0x00, 0x0b]));
    expect(at).to.be.greaterThan(0);
    bytes[at + 3] = 0;
    expect(await refused(bytes)).to.equal("ledger-file-garbled");
    // Whoever makes a digest of it has made another file, in which a set-up counts twice.
    bytes.set(sha256(bytes.subarray(0, -32)), bytes.length - 32);
    const forged = join(folder, "forged");
    writeFileSync(forged, bytes);
    const verdicts = (await all(new LedgerFile(forged).blocks(7n)))[0]?.transactions.map(
      ({ validation }) => validation,
    );
    expect(verdicts).to.deep.equal(["VALID", "VALID"]);
  });

  it("is refused without one of its blocks", async () => {
    const gap = join(folder, "gap");
    await exportLedger(channelOf(REAL_BLOCKS.filter((_, number) => number !== 4)), gap);
    expect((await failure(new LedgerFile(gap).tip())).code).to.equal("ledger-file-garbled");
  });
});
