import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "../ports/store.js";
import { LevelStore, openDatabase } from "./level.js";

/** A store on disk for as long as something is worked out: the memory it needs does not grow with what it holds. */
export interface Scratch {
  readonly store: Store;
  /** Deletes it. */
  close(): Promise<void>;
}

/** @throws VeilgridError `store-unreadable` where the system's folder for temporary files cannot be used. */
export async function openScratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), "veilgrid-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const database = await openDatabase(folder);
    const store = new LevelStore(database, "state", { sync: false });
    return { store, close: () => database.close().then(remove) };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Lends a scratch store. */
export async function withScratch<T>(use: (store: Store) => Promise<T>): Promise<T> {
  const scratch = await openScratch();
  try {
    return await use(scratch.store);
  } finally {
    await scratch.close();
  }
}
