import { open, readdir, rename, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Reader, VeilgridError, Writer, concat, equalBytes, utf8 } from "@veilgrid/protocol";
import type { Change, Store } from "../ports/store.js";
import { readBytes, syncFolder } from "../store/files.js";
import { readChange, writeChange } from "./journal-record.js";

// BaseCopy { "VGBACKUP"; uint8 version = 1; consortium[32]; uint64 number of the journal's last record that is in it;
//            { opaque store<1..255>; uint32 count; { entry, as in the journal } [count] } ...; SHA-256 of all before it }

const MAGIC = utf8("VGBACKUP");
const VERSION = 1;
const DIGEST_BYTES = 32;
const NAME = /^base-(\d{12})$/;
/** Node reads a file of this size at once. */
const MAX_BYTES = 2 ** 31 - 1;
const MAX_BATCH = 1_000;

const text = new TextDecoder("utf-8", { fatal: true });

/** What a base copy is. */
export interface BaseCopy {
  /** The journal's records up to this one are in it. */
  readonly number: bigint;
  readonly file: string;
  readonly entries: number;
  readonly bytes: number;
}

function baseName(number: bigint): string {
  return `base-${String(number).padStart(12, "0")}`;
}

/** The names of the base copies of a folder, the newest last. */
export async function baseCopies(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => NAME.test(name)).sort();
}

/** Writes a base copy of stores, which nobody writes to meanwhile; it is there as a whole, or not at all. */
export async function writeBase(
  folder: string,
  consortium: Uint8Array,
  number: bigint,
  stores: ReadonlyMap<string, Store>,
): Promise<BaseCopy> {
  const name = baseName(number);
  const partial = join(folder, `${name}.partial`);
  const file = await open(partial, "w", 0o600);
  const hash = createHash("sha256");
  let [entries, bytes] = [0, 0];
  const put = async (part: Uint8Array): Promise<void> => {
    hash.update(part);
    bytes += part.length;
    await file.appendFile(part);
  };
  try {
    await put(concat(MAGIC, new Writer().u8(VERSION).fixed(consortium, 32).u64(number).bytes()));
    for (const [store, { range }] of bound(stores)) {
      const all = await range("");
      await put(new Writer().opaque(utf8(store), 1, 255).u32(all.length).bytes());
      for (let at = 0; at < all.length; at += MAX_BATCH) await put(encodeEntries(all.slice(at, at + MAX_BATCH)));
      entries += all.length;
    }
    await put(hash.copy().digest());
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, join(folder, name));
  await syncFolder(folder);
  return { number, file: name, entries, bytes };
}

function* bound(stores: ReadonlyMap<string, Store>): Generator<[string, { range: Store["range"] }]> {
  for (const [name, store] of stores) yield [name, { range: (prefix) => store.range(prefix) }];
}

function encodeEntries(entries: readonly Change[]): Uint8Array {
  const writer = new Writer();
  for (const entry of entries) writeChange(writer, entry);
  return writer.bytes();
}

/** What a base copy holds, by store. */
export interface KeptBase {
  readonly number: bigint;
  readonly stores: ReadonlyMap<string, readonly Change[]>;
}

/**
 * Reads a folder's newest base copy; undefined where there is none.
 * @throws VeilgridError `backup-damaged`; `wrong-consortium` for that of another one.
 */
export async function readBase(folder: string, consortium: Uint8Array): Promise<KeptBase | undefined> {
  const name = (await baseCopies(folder)).at(-1);
  if (name === undefined) return undefined;
  const bytes = (await readBytes(join(folder, name))) ?? new Uint8Array();
  const end = bytes.length - DIGEST_BYTES;
  const isWhole =
    end > 0 && equalBytes(createHash("sha256").update(bytes.subarray(0, end)).digest(), bytes.subarray(end));
  const reader = new Reader(bytes.subarray(0, Math.max(end, 0)), "base copy", MAX_BYTES);
  if (!isWhole || !equalBytes(reader.fixed(MAGIC.length), MAGIC) || reader.u8() !== VERSION) {
    throw new VeilgridError("backup-damaged", "the base copy is not what was written", {
      facts: { file: name },
      blame: "operator",
    });
  }
  if (!equalBytes(reader.fixed(32), consortium)) {
    throw new VeilgridError("wrong-consortium", "the backup is of another consortium", { blame: "caller" });
  }
  return { number: reader.u64(), stores: readStores(reader) };
}

function readStores(reader: Reader): Map<string, Change[]> {
  const stores = new Map<string, Change[]>();
  while (reader.left > 0) {
    const name = text.decode(reader.opaque(1, 255));
    stores.set(
      name,
      Array.from({ length: reader.u32() }, () => readChange(reader)),
    );
  }
  return stores;
}

/** Deletes the base copies before the newest one, and what a crash left of one. */
export async function deleteOlder(folder: string): Promise<void> {
  const older = (await baseCopies(folder)).slice(0, -1);
  const partial = (await readdir(folder)).filter((name) => /^base-\d{12}\.partial$/.test(name));
  for (const name of [...older, ...partial]) await rm(join(folder, name));
}
