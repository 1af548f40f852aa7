import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { concat, fromHex, isVeilgridError, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { FsBlockstore } from "blockstore-fs";
import { expect } from "chai";
import fc from "fast-check";
import { RAW_SHA256_PREFIX, cidText, parseCid, rawAddress } from "../../src/ipfs/address.js";
import { ContentFolder } from "../../src/ipfs/content-folder.js";

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "resolved";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

/** The stored blocks' files, as paths. */
async function blockFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe("content folder (IPFS block store)", () => {
  let folder: string;
  let store: ContentFolder;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "veilgrid-content-"));
    store = await ContentFolder.open(join(folder, "blocks"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const vectors: readonly (readonly [string, Uint8Array, string])[] = [
    ["hello world", utf8("hello world"), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"],
    ["a line", utf8("hello world\n"), "bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4"],
    [
      "5 MiB, more than one chunk of profile unixfs-v1-2025",
      Uint8Array.from({ length: 5 * 1024 * 1024 }, (_, i) => (i * 7) % 251),
      "bafybeieskuujlqljjg5c7b74slnyodqpw7csmfodnlkraw7ydverpkbvva",
    ],
  ];
  for (const [name, bytes, text] of vectors) {
    it(`gives ${name} its known address and gives it back`, async () => {
      const address = await store.put(bytes);
      expect(address.text).to.equal(text);
      expect(cidText(address.cid)).to.equal(text);
      expect(sha256(await store.get(address.cid))).to.deep.equal(sha256(bytes));
    });
  }

  it("makes one raw block of 262,144 bytes, whose address is their SHA-256", async () => {
    const bytes = new Uint8Array(262_144).fill(0x20);
    const { cid, text } = await store.put(bytes);
    expect(toHex(cid)).to.equal(toHex(concat(RAW_SHA256_PREFIX, sha256(bytes))));
    expect(rawAddress(sha256(bytes))).to.deep.equal({ cid, text });
    expect(await blockFiles(join(folder, "blocks"))).to.have.lengthOf(1);
  });

  it("gives back whatever was put, and the same address for the same bytes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), async (bytes) => {
        const first = await store.put(bytes);
        expect(await store.put(bytes)).to.deep.equal(first);
        expect(toHex(await store.get(first.cid))).to.equal(toHex(bytes));
      }),
      { numRuns: 20 },
    );
  });

  it("survives being opened again", async () => {
    const { cid } = await store.put(utf8("a bill"));
    const again = await ContentFolder.open(join(folder, "blocks"));
    expect(await again.get(cid)).to.deep.equal(utf8("a bill"));
  });

  it("refuses bytes that were changed on the disk, in one block and in a tree", async () => {
    for (const size of [100, 3 * 1024 * 1024]) {
      const { cid } = await store.put(new Uint8Array(size).fill(1));
      for (const path of await blockFiles(join(folder, "blocks"))) await writeFile(path, "changed");
      expect(await codeOf(store.get(cid))).to.equal("content-corrupt");
    }
  });

  it("names what is missing, and what is no address of its kind", async () => {
    expect(await codeOf(store.get(rawAddress(sha256(utf8("never put"))).cid))).to.equal("content-missing");
    expect(await codeOf(store.get(fromHex("0155")))).to.equal("bad-cid");
    // CIDv1, raw, but SHA-512.
    const sha512 = concat(fromHex("01551340"), new Uint8Array(64));
    expect(() => parseCid(sha512)).to.throw("a content address is a CIDv1 with SHA-256");
    // CIDv0: the bare multihash of a UnixFS tree.
    expect(await codeOf(store.get(concat(fromHex("1220"), new Uint8Array(32))))).to.equal("bad-cid");
  });

  it("refuses an address that leads to a directory, or to no UnixFS node at all", async () => {
    const files = new FsBlockstore(join(folder, "blocks"));
    // An empty UnixFS directory, bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354, and a protobuf of nothing.
    for (const node of [fromHex("0a020801"), fromHex("ff")]) {
      const cid = concat(fromHex("01701220"), sha256(node));
      await files.put(parseCid(cid), node);
      expect(await codeOf(store.get(cid))).to.equal("content-corrupt");
    }
  });

  it("mends a damaged block when the same bytes are put again", async () => {
    const { cid } = await store.put(utf8("a bill"));
    for (const path of await blockFiles(join(folder, "blocks"))) await writeFile(path, "");
    await store.put(utf8("a bill"));
    expect(await store.get(cid)).to.deep.equal(utf8("a bill"));
  });
});
