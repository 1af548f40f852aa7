import type { SeededRandom } from "@veilgrid/gateway";
import {
  Aggregator,
  ControlCenter,
  Kgcbp,
  parsePolicy,
  type AggregatorModules,
  type Clock,
  type Conduct,
  type PricePolicy,
  type Store,
  type Transport,
} from "@veilgrid/gateway";
import { Meter } from "@veilgrid/meter-client";
import {
  DEFAULT_TARIFF,
  LedgerView,
  periodEnd,
  window,
  type Params,
  type Period,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import type { Channel } from "./channel.js";
import { endOf, laterSecretOf, secretOf, type Consortium, type Home } from "./consortium.js";
import type { Disk } from "./disk.js";
import type { Life } from "./life.js";
import type { Network } from "./network.js";
import type { Role } from "./seat.js";
import { keysOn, sealedOn, type MemoryContent, type MemoryShelf } from "./stores.js";

/** How long before it begins an epoch is sent: here half an hour. */
export const LEAD_MS = 1_800_000;

/** What all roles of a run are made from. */
export interface Ground {
  readonly consortium: Consortium;
  readonly channel: Channel;
  readonly network: Network;
  readonly memory: VerifiedSignatures;
  readonly random: SeededRandom;
  /** How far the clock of a life is off, milliseconds. */
  readonly offsetOf: (life: Life) => number;
  /** What tests put between a role and the network. */
  readonly between?: (transport: Transport) => Transport;
}

/** What one role of a run has. */
export interface Ports {
  readonly clock: Clock;
  readonly transport: Transport;
}

/** The clock and the transport of a life. */
export function portsOf({ network, offsetOf, between = (own) => own }: Ground, life: Life): Ports {
  const offset = offsetOf(life);
  return { clock: life.clock(() => offset), transport: between(network.transport(life.name, life)) };
}

/** The modules of an aggregator, for tests that change some of them. */
export function aggregatorModules(ground: Ground, life: Life, da: number, store: Store): AggregatorModules {
  const { channel, memory, random } = ground;
  const msp = `Da${da}`;
  const view = new LedgerView(channel.replica(msp));
  return { ...portsOf(ground, life), store, ledger: channel.client(msp, life), view, random, memory, log: life.log };
}

/** How long a bundle is open, milliseconds. */
const BUNDLE_MS = 400;

/** An aggregator. @param conduct how it forms blocks when it leads, if not honestly. */
export function aggregatorOf(da: number, modules: AggregatorModules, conduct?: Conduct): Aggregator {
  const secrets = { secret: secretOf(`Da${da}`), otherSecrets: [laterSecretOf(`Da${da}`)] };
  const options = { ...secrets, bundleMs: BUNDLE_MS };
  return new Aggregator(conduct === undefined ? options : { ...options, conduct }, modules);
}

let policy: Promise<PricePolicy> | undefined;

/** A price that depends on the sum, so that a wrong sum is a wrong price. */
export function pricePolicy(): Promise<PricePolicy> {
  policy ??= parsePolicy("linear:200000,3", { periodSeconds: 900 });
  return policy;
}

export async function controlCenterOf(ground: Ground, life: Life): Promise<ControlCenter> {
  const { channel, memory } = ground;
  const view = new LedgerView(channel.replica("Cc"));
  const secrets = { secret: secretOf("Cc"), otherSecrets: [laterSecretOf("Cc")] };
  const options = { ...secrets, policy: await pricePolicy() };
  return new ControlCenter(options, { ...portsOf(ground, life), view, memory, log: life.log });
}

/** Where KGCBP keeps what it must not lose. */
export interface KgcbpPlaces {
  readonly keys: Disk;
  readonly work: Disk;
  readonly shelf: MemoryShelf;
  readonly content: MemoryContent;
}

/** Every meter enrolled, before the run begins. */
export async function enrolAll(consortium: Consortium, { keys, shelf }: KgcbpPlaces): Promise<void> {
  const store = await keysOn(consortium.id, shelf, keys.kept);
  const [from, to] = [consortium.periods[0] as Period, endOf(consortium)];
  for (const { name, bid, region, customer, monthKey } of consortium.homes) {
    await store.enrol({ meter: name, bid, region, recipient: customer.recipient, from, to }, monthKey);
  }
}

export async function kgcbpOf(ground: Ground, life: Life, places: KgcbpPlaces): Promise<Kgcbp> {
  const { consortium, channel, memory, random } = ground;
  const { shelf, content } = places;
  const secrets = { secret: secretOf("Kgcbp"), otherSecrets: [laterSecretOf("Kgcbp")] };
  const options = { ...secrets, tariff: DEFAULT_TARIFF, timeZone: "UTC", leadMs: LEAD_MS };
  return Kgcbp.open(options, {
    ...portsOf(ground, life),
    store: await sealedOn(consortium.id, shelf, places.work.store(life)),
    view: new LedgerView(channel.replica("Kgcbp")),
    keys: await keysOn(consortium.id, shelf, places.keys.store(life)),
    content,
    random,
    memory,
    log: life.log,
  });
}

/** A meter whose register is read at the end of each period, or as soon as its process is there again. */
export class MeterRole implements Role {
  readonly meter: Meter;
  readonly #home: Home;
  readonly #periods: readonly Period[];
  readonly #params: Params;
  readonly #clock: Clock;

  constructor(ground: Ground, life: Life, home: Home, store: Store) {
    const { consortium, memory, random } = ground;
    const { params, id, periods } = consortium;
    const ports = portsOf(ground, life);
    const { month } = periods[0] as Period;
    const options = {
      name: home.name,
      consortium: id,
      region: home.region,
      params,
      key: { month, key: home.monthKey },
    };
    this.meter = new Meter(options, { ...ports, store, random, memory, log: life.log });
    this.#home = home;
    this.#periods = periods;
    this.#params = params;
    this.#clock = ports.clock;
  }

  async start(): Promise<void> {
    await this.meter.start();
    for (const [n, period] of this.#periods.entries()) {
      if (window(period, this.#params).closes <= this.#clock.now()) continue;
      const read = (): Promise<void> => this.meter.record(period, this.#home.consumption[n]);
      this.#clock.at(periodEnd(period, this.#params.periodSeconds), "period ends", read);
    }
  }
}
