import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";

/** The parts of a data folder. */
export class DataFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** What the run was asked for, and what its input is. */
  get run(): string {
    return join(this.path, "run.json");
  }

  /** Every secret of the run: readable by its owner alone. */
  get secrets(): string {
    return join(this.path, "secrets.json");
  }

  /** The readings as whole Wh, one row a period: the run needs its input file no more. */
  get readings(): string {
    return join(this.path, "readings.csv");
  }

  /** What the run came to, once it is finished. */
  get outcome(): string {
    return join(this.path, "outcome.json");
  }

  get ledger(): string {
    return join(this.path, "ledger");
  }

  get roles(): string {
    return join(this.path, "roles");
  }

  get ipfs(): string {
    return join(this.path, "ipfs");
  }

  get periods(): string {
    return join(this.path, "periods.csv");
  }

  get bills(): string {
    return join(this.path, "bills.csv");
  }

  /** A customer's age identity, so that any age tool opens the bill. */
  identity(meter: string): string {
    return join(this.path, "customers", `${encodeURIComponent(meter)}.age-identity`);
  }

  async make(): Promise<void> {
    await mkdir(join(this.path, "customers"), { recursive: true });
  }

  /** Deletes everything that a run keeps here, and nothing else. */
  async clear(): Promise<void> {
    const parts = [this.run, this.secrets, this.readings, this.outcome, this.ledger, this.roles, this.ipfs];
    for (const part of [...parts, this.periods, this.bills, join(this.path, "customers")]) {
      await rm(part, { recursive: true, force: true });
    }
  }
}

/** A file that is either whole or not there: written beside its place, synced, then renamed. */
export async function writeWhole(path: string, text: string, mode = 0o644): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, "w", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
}

/** A file's text; undefined where there is none. @throws VeilgridError `unreadable-file`. */
export async function readWhole(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new VeilgridError("unreadable-file", `${path} cannot be read`, { facts: { path }, blame: "operator", cause });
  }
}

/** A file's JSON; undefined where there is no file. @throws VeilgridError `unreadable-file`, `damaged-folder`. */
export async function readJson(path: string): Promise<unknown> {
  const text = await readWhole(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new VeilgridError("damaged-folder", `${path} is not what a run wrote`, {
      facts: { path },
      blame: "operator",
      cause,
    });
  }
}
