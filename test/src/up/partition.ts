import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Relay } from "./relay.js";

/** Everything that goes to and from one party of a consortium's folder, led over lines that can be cut. */
export class Partition {
  readonly #relays = new Map<string, Relay>();

  /**
   * Leads an aggregator's connections over lines: its own to the others and to the ledger, and the others' and the meters'
   * to it. To be called before anything is started.
   * @param folder the consortium's. @param index of the aggregator.
   */
  static async around(folder: string, index: number, das: number): Promise<Partition> {
    const partition = new Partition();
    const own = join(folder, `da${index}`, "da.yaml");
    const text = await readFile(own, "utf8");
    const mine = [...text.matchAll(/listen: (\S+)/g)].map(([, listen]) => listen as string);
    await partition.#lead(own, (target) => !mine.includes(target));
    const others = Array.from({ length: das }, (_, i) => join(`da${i}`, "da.yaml")).filter((_, i) => i !== index);
    for (const file of [...others, "cc/cc.yaml", "kgcbp/kgcbp.yaml", "meters/fleet.yaml"]) {
      await partition.#lead(join(folder, file), (target) => mine.includes(target));
    }
    return partition;
  }

  /** Puts lines in place of some of a configuration's targets. */
  async #lead(file: string, isLed: (target: string) => boolean): Promise<void> {
    let text = await readFile(file, "utf8");
    for (const [whole, target] of [...text.matchAll(/target: (\S+)/g)]) {
      if (!isLed(target as string)) continue;
      const relay = await this.#relay(target as string);
      text = text.replace(whole, `target: 127.0.0.1:${relay.port}`);
    }
    await writeFile(file, text);
  }

  async #relay(target: string): Promise<Relay> {
    const known = this.#relays.get(target);
    if (known !== undefined) return known;
    const relay = await Relay.to(Number(target.split(":")[1]));
    this.#relays.set(target, relay);
    return relay;
  }

  begin(): void {
    for (const relay of this.#relays.values()) relay.cut();
  }

  end(): void {
    for (const relay of this.#relays.values()) relay.mend();
  }

  close(): void {
    for (const relay of this.#relays.values()) relay.close();
  }
}
