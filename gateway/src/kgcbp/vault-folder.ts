import { mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { VeilgridError, fromHex, toHex, utf8 } from "@veilgrid/protocol";
import { decryptWith, encryptTo } from "../bill/encryption.js";
import { readBytes, syncFolder, writeWhole } from "../store/files.js";
import type { Shelf } from "./vault.js";

const KEY_FILE = /^(\d{6})\.key$/;
const ERASED = "erased";
/** What every age file begins with. */
const AGE = utf8("age-encryption.org/v1\n");

/** Who opens a vault: the operator's age X25519 identity, which is never written to the folder. */
export interface Warden {
  /** "AGE-SECRET-KEY-1…". */
  readonly identity: string;
  /** "age1…". */
  readonly recipient: string;
}

function isAge(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes.subarray(0, AGE.length), AGE) === 0;
}

/**
 * A vault's keys as files of one folder, readable by their owner alone: `<month>.key` in hex, or encrypted to the
 * operator's age recipient. A folder of files and not a database, whose logs keep what was deleted.
 */
export class VaultFolder implements Shelf {
  readonly #path: string;
  readonly #warden: Warden | undefined;

  private constructor(path: string, warden: Warden | undefined) {
    this.#path = path;
    this.#warden = warden;
  }

  /** Opens the folder; it is made if it is not there. @param warden encrypts and opens the keys in it. */
  static async open(path: string, warden?: Warden): Promise<VaultFolder> {
    await mkdir(path, { recursive: true, mode: 0o700 });
    return new VaultFolder(path, warden);
  }

  #file(month: number): string {
    return join(this.#path, `${String(month).padStart(6, "0")}.key`);
  }

  /** @throws VeilgridError `vault-locked` for keys that need the operator's identity; `vault-damaged`. */
  async keys(): Promise<ReadonlyMap<number, Uint8Array>> {
    const keys = new Map<number, Uint8Array>();
    for (const name of (await readdir(this.#path)).sort()) {
      const [, digits] = KEY_FILE.exec(name) ?? [];
      if (digits !== undefined) keys.set(Number(digits), await this.#key(name));
    }
    return keys;
  }

  async #key(name: string): Promise<Uint8Array> {
    const bytes = (await readBytes(join(this.#path, name))) ?? new Uint8Array();
    const text = Buffer.from(isAge(bytes) ? await this.#opened(bytes) : bytes).toString("utf8");
    // While an erasure overwrites it, a file holds zeros: its month is marked, so nobody misses it.
    if (/^[0-9a-f]{64}\n$/.test(text)) return fromHex(text.trim());
    if (bytes.every((byte) => byte === 0)) return new Uint8Array();
    throw new VeilgridError("vault-damaged", `${name} in the vault is not what was written`, {
      facts: { file: name },
      blame: "operator",
    });
  }

  #opened(bytes: Uint8Array): Promise<Uint8Array> {
    if (this.#warden !== undefined) return decryptWith(this.#warden.identity, bytes);
    throw new VeilgridError("vault-locked", "the vault's keys are encrypted: the operator's identity opens them", {
      facts: { folder: this.#path },
      blame: "operator",
    });
  }

  /** @throws VeilgridError `vault-damaged`. */
  async erased(): Promise<number | undefined> {
    const bytes = await readBytes(join(this.#path, ERASED));
    if (bytes === undefined) return undefined;
    const text = bytes.toString("utf8");
    if (/^\d{1,6}\n$/.test(text)) return Number(text);
    throw new VeilgridError("vault-damaged", "the vault does not say which months were erased", {
      facts: { folder: this.#path },
      blame: "operator",
    });
  }

  async put(month: number, key: Uint8Array): Promise<void> {
    const text = utf8(`${toHex(key)}\n`);
    const content = this.#warden === undefined ? text : await encryptTo(this.#warden.recipient, text);
    await writeWhole(this.#file(month), content, 0o600);
    await syncFolder(this.#path);
  }

  async markErased(month: number): Promise<void> {
    await writeWhole(join(this.#path, ERASED), `${month}\n`, 0o600);
    await syncFolder(this.#path);
  }

  /** Overwrites the file's bytes, on media that write in place, then deletes it. */
  async shred(month: number): Promise<void> {
    const path = this.#file(month);
    const file = await open(path, "r+").catch(absent);
    if (file === undefined) return;
    try {
      const { size } = await file.stat();
      await file.write(new Uint8Array(size), 0, size, 0);
      await file.sync();
    } finally {
      await file.close();
    }
    await rm(path);
    await syncFolder(this.#path);
  }
}

function absent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
  throw error;
}
