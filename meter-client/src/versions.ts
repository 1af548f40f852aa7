import {
  Reader,
  Writer,
  decodeParamsProofs,
  encodeParamsWish,
  isVeilgridError,
  paramsCodec,
  periodStart,
  verifyVersions,
  type Params,
  type Period,
  type ProvedVersion,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { MeterChange, MeterClock, MeterLog, MeterStore, MeterTransport } from "./ports.js";

/** A DA is asked for versions at most this often, whatever it or others say. */
const ASK_PAUSE_MS = 60_000;
/** How long after a version is no more accepted for epochs its last epoch may go on: 12 hours ahead, and a day long. */
const LAST_EPOCH_MS = 48 * 3_600_000;
const ACCEPTED = 1;

function encode({ params, since }: ProvedVersion): Uint8Array {
  return new Writer().u64(BigInt(since)).raw(paramsCodec.encode(params)).bytes();
}

function decode(bytes: Uint8Array): ProvedVersion {
  const reader = new Reader(bytes, "stored params");
  return { since: Number(reader.u64()), params: paramsCodec.decode(reader.rest()) };
}

/**
 * The versions of the parameter set that the meter knows: the one of its installation, and those that DAs showed it with
 * the votes of the version before. It keeps what it has verified and never goes back.
 */
export class Versions {
  readonly #name: string;
  readonly #consortium: Uint8Array;
  readonly #modules: VersionsModules;
  readonly #known = new Map<number, ProvedVersion>();
  /** Last asking of each DA, and who waits for its answer; nobody once it is there. */
  readonly #asked = new Map<string, { readonly at: number; waiting: (() => Promise<void> | void)[] | undefined }>();
  #newest: Params;

  /** @param options.installed the version of the meter's installation. */
  constructor(
    options: { readonly name: string; readonly consortium: Uint8Array; readonly installed: Params },
    modules: VersionsModules,
  ) {
    this.#name = options.name;
    this.#consortium = options.consortium;
    this.#modules = modules;
    this.#newest = options.installed;
    this.#known.set(options.installed.version, { params: options.installed, since: 0 });
    this.#load();
  }

  /** The newest version that the meter knows: whom it sends to. */
  get newest(): Params {
    return this.#newest;
  }

  /** Whether a version is newer than any that the meter knows. */
  isNews(version: number): boolean {
    return version > this.#newest.version;
  }

  /**
   * The version that acks name, if it may rule the period. "the ledger accepts the current one and the one before" for an
   * epoch, so that a version which is neither ends with the epochs that were sent in its time: later its keys may be in
   * any hands.
   */
  ruling(version: number, period: Period): Params | undefined {
    const { params } = this.#known.get(version) ?? {};
    const replaced = this.#known.get(version + 2);
    if (params === undefined || replaced === undefined) return params;
    return periodStart(period, params.periodSeconds) < replaced.since + LAST_EPOCH_MS ? params : undefined;
  }

  /**
   * Asks a DA for what came after the newest version, at most once a minute; `then` runs when its answer is taken in, if
   * one comes, and at once where there was one just now.
   */
  learn(address: string, then: () => Promise<void> | void): Promise<void> | void {
    const { clock, transport } = this.#modules;
    const before = this.#asked.get(address);
    if (before !== undefined && clock.now() - before.at < ASK_PAUSE_MS) {
      if (before.waiting === undefined) return then();
      before.waiting.push(then);
      return undefined;
    }
    const asking: NonNullable<typeof before> = { at: clock.now(), waiting: [then] };
    this.#asked.set(address, asking);
    transport.request(address, "params", encodeParamsWish(this.#newest.version), async (response) => {
      const waiting = asking.waiting ?? [];
      asking.waiting = undefined;
      await this.#take(response);
      for (const next of waiting) await next();
    });
    return undefined;
  }

  #load(): void {
    for (;;) {
      const bytes = this.#modules.store.get(this.#at(this.#newest.version + 1));
      if (bytes === undefined) return;
      this.#keep(decode(bytes));
    }
  }

  async #take(response: Uint8Array): Promise<void> {
    const fresh = this.#verified(response).filter(({ params }) => this.isNews(params.version));
    if (fresh.length === 0) return;
    const changes = fresh.map((one): MeterChange => ({ key: this.#at(one.params.version), value: encode(one) }));
    await this.#modules.store.write(changes);
    for (const one of fresh) if (this.isNews(one.params.version)) this.#keep(one);
    this.#modules.log("info", "params-learned", { version: this.#newest.version });
  }

  #verified(response: Uint8Array): ProvedVersion[] {
    if (response[0] !== ACCEPTED) return [];
    try {
      const proofs = decodeParamsProofs(response.subarray(1));
      return verifyVersions(this.#consortium, this.#newest, proofs, this.#modules.memory);
    } catch (error) {
      if (!isVeilgridError(error)) throw error;
      this.#modules.log("warn", "params-unproved", { code: error.code });
      return [];
    }
  }

  #keep(version: ProvedVersion): void {
    this.#known.set(version.params.version, version);
    this.#newest = version.params;
  }

  #at(version: number): string {
    return `${this.#name}/params/${String(version).padStart(5, "0")}`;
  }
}

/** What Versions works with. */
export interface VersionsModules {
  readonly clock: MeterClock;
  readonly store: MeterStore;
  readonly transport: MeterTransport;
  readonly memory: VerifiedSignatures | undefined;
  readonly log: MeterLog;
}
