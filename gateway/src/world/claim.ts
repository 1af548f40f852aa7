import { mkdir } from "node:fs/promises";
import { isVeilgridError, VeilgridError } from "@veilgrid/protocol";
import { openDatabase, type Database } from "../store/level.js";
import type { DataFolder } from "./folder.js";

/**
 * A data folder that this process alone works on, until it releases it or ends in whatever way. Node has no lock that
 * the kernel gives back with the process; LevelDB has, so an empty database serves as the lock.
 */
export class Claim {
  readonly #database: Database;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** @throws VeilgridError `folder-in-use` (retry), `unusable-folder`. */
  static async of(folder: DataFolder): Promise<Claim> {
    try {
      await mkdir(folder.path, { recursive: true });
      return new Claim(await openDatabase(folder.lock));
    } catch (error) {
      throw refused(folder, error);
    }
  }

  async release(): Promise<void> {
    await this.#database.close();
  }
}

/** Works on a folder that nobody else works on meanwhile. @throws VeilgridError as Claim.of. */
export async function claimed<T>(folder: DataFolder, work: () => Promise<T>): Promise<T> {
  const claim = await Claim.of(folder);
  try {
    return await work();
  } finally {
    await claim.release();
  }
}

function refused(folder: DataFolder, cause: unknown): VeilgridError {
  const facts = { folder: folder.path };
  if (isVeilgridError(cause, "store-in-use")) {
    const sentence = `another process is working in ${folder.path}; wait until it is done`;
    return new VeilgridError("folder-in-use", sentence, { facts, blame: "operator", retry: true, cause });
  }
  return new VeilgridError("unusable-folder", `${folder.path} cannot be used as a data folder`, {
    facts,
    blame: "caller",
    cause,
  });
}
