import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { isVeilgridError, type Facts } from "@veilgrid/protocol";

/** A file of the project's own data. */
export function dataFile(name: string): string {
  return fileURLToPath(new URL(`../../../../data/${name}`, import.meta.url));
}

export const SGSC = dataFile("sgsc/sgsc50_2013-04-08_30d_wide.csv");
export const SWISS = dataFile("swiss537/swiss537_30min_30d_wide.csv.gz");

/** Files that a test makes; they are gone after it. */
export class Scratch {
  #folder: string | undefined;

  write(name: string, content: string | Uint8Array): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "veilgrid-input-"));
    const path = join(this.#folder, name);
    writeFileSync(path, content);
    return path;
  }

  clean(): void {
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true });
    this.#folder = undefined;
  }
}

/** Expects `action` to fail with this code and, at least, these facts; gives the error's message. */
export async function expectRefusal(action: () => unknown, code: string, facts: Facts = {}): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (!isVeilgridError(error)) throw error;
    expect(error.code).to.equal(code);
    expect(error.facts).to.include(facts);
    expect(error.blame).to.equal("caller");
    return error.message;
  }
  throw new Error(`not refused with ${code}`);
}
