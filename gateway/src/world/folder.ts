import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";

/** What a folder is to somebody who wants to begin a run in it. */
export type FolderState =
  /** It is not there, or there is nothing in it. */
  | "new"
  /** It holds a run. */
  | "run"
  /** A run was about to be recorded there, and none of its keys was used yet. */
  | "begun"
  /** It holds a run's state, but not the record of what the run is. */
  | "damaged"
  /** Somebody else's: it holds other things. */
  | "foreign";

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

  /** A copy of the file of prices, if the policy has one, as it was when the run began. */
  get prices(): string {
    return join(this.path, "prices.csv");
  }

  /** What the run came to, once it is finished. */
  get outcome(): string {
    return join(this.path, "outcome.json");
  }

  /** The embedded ledger, or the replica of a Fabric channel and what was submitted to it. */
  get ledger(): string {
    return join(this.path, "ledger");
  }

  /** How a run on Fabric reaches its peers. */
  get connection(): string {
    return join(this.path, "ledger.json");
  }

  /** Version 1 of the parameter set of a run on Fabric, which is deployed with the chaincode. */
  get params(): string {
    return join(this.path, "params.bin");
  }

  get roles(): string {
    return join(this.path, "roles");
  }

  /** KGCBP's backup: base copy and journal, in which secrets are sealed. */
  get backup(): string {
    return join(this.path, "backup");
  }

  /** The wrapping keys that open what KGCBP keeps. An operator keeps both elsewhere, apart from each other. */
  get vault(): string {
    return join(this.path, "vault");
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

  get customers(): string {
    return join(this.path, "customers");
  }

  /** A customer's age identity, so that any age tool opens the bill. */
  identity(meter: string): string {
    return join(this.customers, `${encodeURIComponent(meter)}.age-identity`);
  }

  /** Says which process works on the folder; see Claim. */
  get lock(): string {
    return join(this.path, "lock");
  }

  /** Everything that a run keeps here. */
  get #parts(): readonly string[] {
    const { run, secrets, readings, prices, outcome, ledger, connection, params } = this;
    const { roles, backup, vault, ipfs, periods, bills, customers } = this;
    return [
      ...[run, secrets, readings, prices, outcome, ledger, connection, params],
      ...[roles, backup, vault, ipfs, periods, bills, customers],
    ];
  }

  /** @throws VeilgridError `unusable-folder`. */
  async make(): Promise<void> {
    try {
      await mkdir(this.customers, { recursive: true });
    } catch (cause) {
      throw this.#unusable(cause);
    }
  }

  /** @throws VeilgridError `unusable-folder`. */
  async state(): Promise<FolderState> {
    const names = await this.#names();
    const has = (path: string): boolean => names.includes(basename(path));
    if (names.length === 0) return "new";
    if (has(this.run)) return "run";
    const own = new Set(
      [...this.#parts.flatMap((path) => [path, `${path}.partial`]), this.lock].map((path) => basename(path)),
    );
    if (names.some((name) => !own.has(name))) return "foreign";
    // The world is opened only once run.json stands.
    return has(this.ledger) || has(this.roles) ? "damaged" : "begun";
  }

  /**
   * Refuses a folder in which no run can begin or go on. The files of others stay as they are, whatever is asked for.
   * @throws VeilgridError `foreign-folder`, `unusable-folder`.
   */
  async requireOwn(): Promise<void> {
    if ((await this.state()) !== "foreign") return;
    throw new VeilgridError("foreign-folder", `${this.path} holds other things and no run: choose another folder`, {
      facts: { folder: this.path },
      blame: "caller",
    });
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.path);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw this.#unusable(cause);
    }
  }

  #unusable(cause: unknown): VeilgridError {
    const { code = "unknown" } = cause as NodeJS.ErrnoException;
    return new VeilgridError("unusable-folder", `${this.path} cannot be used as a data folder (${code})`, {
      facts: { folder: this.path, code },
      blame: "caller",
      cause,
    });
  }

  /** Deletes everything that a run keeps here, and nothing else. */
  async clear(): Promise<void> {
    for (const part of this.#parts) await rm(part, { recursive: true, force: true });
  }
}
