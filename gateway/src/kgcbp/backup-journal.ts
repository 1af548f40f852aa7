import { open, readdir, rm, truncate, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";
import type { Change } from "../ports/store.js";
import { readBytes, syncFolder } from "../store/files.js";
import { encodeRecord, scanRecords, type JournalRecord } from "./journal-record.js";

const SEGMENT = /^journal-(\d{12})$/;

function segmentName(first: bigint): string {
  return `journal-${String(first).padStart(12, "0")}`;
}

function damaged(file: string, why: string): VeilgridError {
  return new VeilgridError("backup-damaged", `the backup journal does not hold: ${why}`, {
    facts: { file, why },
    blame: "operator",
  });
}

/** A journal as a folder has it. */
export interface KeptJournal {
  /** Ascending, without gaps. */
  readonly records: readonly JournalRecord[];
  /** The segments' names, ascending. */
  readonly segments: readonly string[];
  /** Bytes of the last segment that are whole; beyond them is what a crash cut off. */
  readonly whole: number;
}

/**
 * Reads a journal. Only its very end may be cut off, by a crash in the middle of a write that nobody was told of.
 * @throws VeilgridError `backup-damaged` for anything else that is missing or was changed.
 */
export async function readJournal(folder: string): Promise<KeptJournal> {
  const segments = (await readdir(folder)).filter((name) => SEGMENT.test(name)).sort();
  const records: JournalRecord[] = [];
  let whole = 0;
  for (const [i, name] of segments.entries()) {
    const bytes = (await readBytes(join(folder, name))) ?? new Uint8Array();
    const scanned = scanRecords(bytes);
    ({ whole } = scanned);
    if (whole < bytes.length && !(scanned.torn && i === segments.length - 1))
      throw damaged(name, "a record was changed");
    const first = BigInt((SEGMENT.exec(name) as RegExpExecArray)[1] as string);
    for (const record of scanned.records) {
      requireNext(record, records.at(-1), first, name);
      records.push(record);
    }
  }
  return { records, segments, whole };
}

function requireNext({ number }: JournalRecord, before: JournalRecord | undefined, first: bigint, file: string): void {
  if (number !== (before === undefined ? first : before.number + 1n)) throw damaged(file, "a record is missing");
}

/**
 * The end of a backup's journal: every write of KGCBP's stores, on a second path before it is anywhere else. It goes on in
 * a new file after each base copy.
 */
export class BackupJournal {
  readonly #folder: string;
  #file: FileHandle;
  #last: bigint;
  #failed = false;

  private constructor(folder: string, file: FileHandle, last: bigint) {
    this.#folder = folder;
    this.#file = file;
    this.#last = last;
  }

  /**
   * Goes on after record number `last`, in the last segment if there is one. What a crash cut off is removed.
   * @param kept the journal as it was read.
   */
  static async open(folder: string, { segments, whole }: KeptJournal, last: bigint): Promise<BackupJournal> {
    const name = segments.at(-1);
    if (name === undefined) return new BackupJournal(folder, await begin(folder, last + 1n), last);
    await truncate(join(folder, name), whole);
    return new BackupJournal(folder, await open(join(folder, name), "a"), last);
  }

  /** The number of the last record. */
  get last(): bigint {
    return this.#last;
  }

  /**
   * Appends a write. @param sync whether it waits for the disk.
   * @returns the record's number.
   * @throws VeilgridError `backup-failed`, from then on: what is not backed up must not be used.
   */
  async append(store: string, changes: readonly Change[], sync: boolean): Promise<bigint> {
    if (this.#failed) throw failed();
    const number = this.#last + 1n;
    try {
      await this.#file.appendFile(encodeRecord({ number, store, changes }));
      if (sync) await this.#file.datasync();
    } catch (cause) {
      // Whatever of it is on the disk is cut off when the journal is opened again.
      this.#failed = true;
      throw failed(cause);
    }
    this.#last = number;
    return number;
  }

  /** Goes on in a new segment, and deletes the ones before: a base copy has them. */
  async restart(): Promise<void> {
    const before = (await readdir(this.#folder)).filter((name) => SEGMENT.test(name));
    await this.#file.close();
    this.#file = await begin(this.#folder, this.#last + 1n);
    for (const name of before) if (name !== segmentName(this.#last + 1n)) await rm(join(this.#folder, name));
    await syncFolder(this.#folder);
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

async function begin(folder: string, first: bigint): Promise<FileHandle> {
  const file = await open(join(folder, segmentName(first)), "a", 0o600);
  await file.sync();
  await syncFolder(folder);
  return file;
}

function failed(cause?: unknown): VeilgridError {
  return new VeilgridError("backup-failed", "the backup journal cannot be written: KGCBP must not go on without it", {
    blame: "operator",
    cause,
  });
}
