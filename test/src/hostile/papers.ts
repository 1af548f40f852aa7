import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Identity, Overview, PEM } from "@veilgrid/gateway";
import { MonthKeys, makeReadings } from "@veilgrid/meter-client";
import { consortiumId, fromHex, monthOf, paramsCodec, type Params } from "@veilgrid/protocol";

interface GivenMeter {
  readonly region: number;
  readonly month: string;
  readonly key: string;
}

/** The files of a consortium's folder: what its meters, organisations and enemies work with. */
export class Papers {
  readonly folder: string;
  readonly overview: Overview;
  readonly params: Params;
  readonly consortium: Uint8Array;

  constructor(folder: string, overview: Overview) {
    this.folder = folder;
    this.overview = overview;
    const params = new Uint8Array(readFileSync(join(folder, "params.bin")));
    this.params = paramsCodec.decode(params);
    this.consortium = consortiumId(params);
  }

  /** The folder's papers, for another process. */
  static of(folder: string): Papers {
    return new Papers(folder, JSON.parse(readFileSync(join(folder, "consortium.json"), "utf8")) as Overview);
  }

  /** The certificate authority of a party's server. @param name such as "da0". */
  authority(name: string): PEM {
    return this.#text(name, "tls", "authority.pem");
  }

  /** A party's own certificate and key. */
  identity(name: string): Identity {
    return { certificate: this.#text(name, "tls", "own.pem"), key: this.#text(name, "tls", "own.key") };
  }

  /** A party's signing key, 32 bytes. */
  secret(name: string): Uint8Array {
    return fromHex(this.#text(name, "secret").trim());
  }

  /** The signed readings of the one period, two for each meter, 113 bytes each: those of `from` up to `to`. */
  readings(from: number, to: number): Uint8Array[] {
    const { first } = this.overview;
    const given = JSON.parse(this.#text("meters", "meters.json")) as GivenMeter[];
    return given.slice(from, to).flatMap(({ region, month, key }, i) => {
      const keys = new MonthKeys(this.consortium, { month: monthOf(month), key: fromHex(key) });
      const place = { consortium: this.consortium, region };
      return [...makeReadings(keys.leavesAt(first), place, first, BigInt(100 + i))];
    });
  }

  #text(...path: string[]): string {
    return readFileSync(join(this.folder, ...path), "utf8");
  }
}
