import "../../src/ledger/quiet.js";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbeddedLedger } from "../../src/ledger/embedded.js";
import type { EmbeddedLedgerModules, EmbeddedLedgerOptions } from "../../src/ledger/embedded.js";
import { chaincodeOf } from "../../src/ledger/fabric.js";
import type { ContractClass } from "../../src/ledger/fabric.js";
import { Notes } from "./contract.js";

/** 2013-04-08T00:00:00.250Z: time stands still in these tests. */
export const NOW = 1_365_379_200_250;

/** Folders that exist until the tests that asked for them are over. */
export class Folders {
  readonly #paths: string[] = [];

  make(): string {
    const path = mkdtempSync(join(tmpdir(), "veilgrid-ledger-"));
    this.#paths.push(path);
    return path;
  }

  remove(): void {
    for (const path of this.#paths.splice(0)) rmSync(path, { recursive: true, force: true });
  }
}

/** One endorsing organisation for each list of contracts: Org1, Org2, ... */
export function organisations(...contracts: readonly (readonly ContractClass[])[]): EmbeddedLedgerOptions["endorsers"] {
  return contracts.map((classes, i) => ({ msp: `Org${i + 1}`, chaincode: chaincodeOf(classes) }));
}

/** A ledger with the Notes contract, endorsed by three organisations out of four, unless told otherwise. */
export function openLedger(
  path: string,
  options: Partial<EmbeddedLedgerOptions> = {},
  modules: Partial<EmbeddedLedgerModules> = {},
): Promise<EmbeddedLedger> {
  const endorsers = options.endorsers ?? organisations([Notes], [Notes], [Notes], [Notes]);
  return EmbeddedLedger.open(
    { path, channel: "notes", needed: Math.min(3, endorsers.length), ...options, endorsers },
    { clock: { now: () => NOW }, ...modules },
  );
}
