import { readFile } from "node:fs/promises";
import { VeilgridError } from "@veilgrid/protocol";
import type { ContentStore } from "../ports/content.js";

/**
 * One file, whatever address is asked for: a bill that its customer has got in some other way. Whether it is the one
 * that the ledger names is for the customer to see, who compares its hash.
 */
export class FileContent implements Pick<ContentStore, "get"> {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws VeilgridError `content-missing`. */
  async get(): Promise<Uint8Array> {
    try {
      return new Uint8Array(await readFile(this.#path));
    } catch (cause) {
      throw new VeilgridError("content-missing", `${this.#path} cannot be read`, {
        facts: { file: this.#path },
        blame: "caller",
        cause,
      });
    }
  }
}
