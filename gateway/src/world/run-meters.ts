import { VeilgridError, addPeriods, comparePeriods, toHex, utf8, type Period } from "@veilgrid/protocol";
import type { CustomerKey } from "../bill/encryption.js";
import type { MeterStanding } from "../kgcbp/change-desk.js";
import type { ChangeRequest } from "../kgcbp/change-request.js";
import { meterName } from "../kgcbp/names.js";
import type { MeterOrder } from "../kgcbp/operator.js";
import type { MeterChange } from "../ports/keystore.js";
import type { Store } from "../ports/store.js";
import { Newcomers } from "./newcomers.js";
import { regionOf, type RunRecord } from "./plan.js";
import { deviceKey, newcomer, type RunKeys } from "./secrets.js";

type Coming = Extract<MeterOrder, { readonly kind: "add" }>;

/** A change of a run's meter, by the names that its operator uses. */
export type MeterWish =
  | Exclude<MeterOrder, { readonly kind: "add" }>
  /** `like` is the meter of the input whose register the new one shows. */
  | (Coming & { readonly like: string });

/** A device of the run: what a meter is for a time. */
export interface Device {
  readonly meter: string;
  /** Unique among the devices; its entries in their store begin with it. */
  readonly name: string;
  /** The household of the input whose register it shows. */
  readonly household: number;
  /** The periods in which it is there, [from, to); undefined where the run has no such end. */
  readonly from: Period | undefined;
  readonly to: Period | undefined;
  /** Its age identity. */
  readonly key: CustomerKey;
  /** What it has from before the run, where it was there. */
  readonly installed: { readonly region: number; readonly monthKey: Uint8Array } | undefined;
}

/** A customer of the run. */
export interface RunCustomer {
  readonly meter: string;
  /** As the operator calls it; the first customer at a meter has the meter's name. */
  readonly name: string;
  readonly bid: Uint8Array;
  readonly key: CustomerKey;
}

const text = new TextDecoder();

/**
 * The run's meters and customers with those that changes have brought: all follow from the run's secrets and the names
 * that the operator gave, which are kept here before KGCBP makes the change.
 */
export class RunMeters {
  readonly #record: RunRecord;
  readonly #keys: RunKeys;
  readonly #store: Store;
  readonly #newcomers: Newcomers;

  constructor(record: RunRecord, keys: RunKeys, store: Store) {
    this.#record = record;
    this.#keys = keys;
    this.#store = store;
    this.#newcomers = new Newcomers(store);
  }

  /** What KGCBP is asked for. @throws VeilgridError `unknown-meter`, `unknown-region`. */
  async request(wish: MeterWish): Promise<ChangeRequest> {
    if ("region" in wish) this.#requireRegion(wish.region);
    const { meter, at } = wish;
    switch (wish.kind) {
      case "add": {
        const { kind, region } = wish;
        const { first, periods, periodSeconds } = this.#record.input;
        const to = addPeriods(first, periods, periodSeconds);
        return {
          kind,
          meter,
          at,
          region,
          since: first,
          to,
          ...(await this.#customer(wish)),
          device: await this.#device(wish),
        };
      }
      case "replace": {
        const { kind, key, compromised } = wish;
        return { kind, meter, at, key, compromised, device: await this.#device(wish) };
      }
      case "sell":
        return { kind: wish.kind, meter, at, ...(await this.#customer(wish)) };
      case "remove":
      case "move":
      case "rekey":
        return wish;
    }
  }

  /** Keeps the names that a wish gives, before anything is made of them. @throws VeilgridError `unknown-meter`. */
  async keepNames(wish: MeterWish, request: ChangeRequest): Promise<void> {
    const names: { key: string; value: Uint8Array }[] = [];
    if ("bid" in request && "customer" in wish) {
      names.push(this.#newcomers.entry(request.bid, { meter: wish.meter, name: wish.customer }));
    }
    if ("device" in request && "device" in wish) {
      names.push({ key: `device/${request.device}`, value: utf8(wish.device) });
    }
    if (wish.kind === "add") {
      this.#household(wish.like);
      names.push({ key: `like/${meterName(wish.meter)}`, value: utf8(wish.like) });
    }
    if (names.length > 0) await this.#store.write(names);
  }

  #requireRegion(region: number): void {
    const { regions } = this.#record.arguments;
    if (region >= 1 && region <= regions) return;
    throw new VeilgridError("unknown-region", `the run has the regions 1 to ${regions}`, {
      facts: { region, regions },
      blame: "caller",
    });
  }

  #household(meter: string): number {
    const index = this.#record.input.households.indexOf(meter);
    if (index >= 0) return index;
    throw new VeilgridError("unknown-meter", `the run's readings have no meter ${meter}`, {
      facts: { meter },
      blame: "caller",
    });
  }

  async #customer({
    meter,
    customer,
  }: {
    meter: string;
    customer: string;
  }): Promise<{ bid: Uint8Array; recipient: string }> {
    const { bid, key } = await newcomer(this.#keys.random, meter, customer);
    return { bid, recipient: key.recipient };
  }

  async #device({ meter, device }: { meter: string; device: string }): Promise<string> {
    return (await deviceKey(this.#keys.random, meter, device)).recipient;
  }

  /** The devices of all meters, those of the input first. */
  async devices(standings: readonly MeterStanding[]): Promise<Device[]> {
    const devices: Device[] = [];
    for (const { meter, changes } of this.ordered(standings)) devices.push(...(await this.#devicesOf(meter, changes)));
    return devices;
  }

  /** In the order of the input, and then in that in which they came. */
  ordered(standings: readonly MeterStanding[]): MeterStanding[] {
    const { households } = this.#record.input;
    const place = new Map(households.map((meter, i) => [meter, i]));
    const placeOf = ({ meter }: MeterStanding): number => place.get(meter) ?? households.length;
    return [...standings].sort((a, b) => placeOf(a) - placeOf(b));
  }

  async #devicesOf(meter: string, changes: readonly MeterChange[]): Promise<Device[]> {
    const devices = this.#first(meter);
    for (const change of changes) {
      const to = change.delivery?.chains[0]?.first ?? change.from;
      if (!["add", "replace", "remove"].includes(change.kind)) continue;
      const last = devices.pop();
      if (last !== undefined) devices.push({ ...last, to: last.to ?? to });
      if (change.kind !== "remove") devices.push(await this.#next(change, to));
    }
    return devices;
  }

  /** The device that a meter of the input is from the beginning on. */
  #first(meter: string): Device[] {
    const household = this.#record.input.households.indexOf(meter);
    const home = this.#keys.homes[household];
    if (home === undefined) return [];
    const region = regionOf(household, this.#record.arguments.regions);
    const installed = { region, monthKey: home.monthKey };
    const name = String(household).padStart(5, "0");
    return [{ meter, name, household, from: undefined, to: undefined, key: home.device, installed }];
  }

  async #next({ meter, serial, delivery }: MeterChange, from: Period): Promise<Device> {
    const own = this.#name(`device/${delivery?.device ?? ""}`);
    const like = this.#record.input.households.includes(meter) ? meter : this.#name(`like/${meterName(meter)}`);
    return {
      ...{ meter, name: `${meterName(meter)}.${serial}`, household: this.#household(like), from, to: undefined },
      key: await deviceKey(this.#keys.random, meter, own),
      installed: undefined,
    };
  }

  /** Everybody who is, was or will be a customer, in the order of the meters. */
  async customers(standings: readonly MeterStanding[]): Promise<RunCustomer[]> {
    const homes = new Map(this.#keys.homes.map((home) => [toHex(home.bid), home]));
    const customers = new Map<string, RunCustomer>();
    for (const { meter, bid } of this.ordered(standings).flatMap(({ supplies }) => supplies)) {
      const home = homes.get(toHex(bid));
      if (customers.has(toHex(bid))) continue;
      if (home !== undefined) customers.set(toHex(bid), { meter, name: meter, bid, key: home.customer });
      else {
        const { name } = this.#newcomers.get(bid);
        customers.set(toHex(bid), { meter, name, bid, key: (await newcomer(this.#keys.random, meter, name)).key });
      }
    }
    return [...customers.values()];
  }

  #name(key: string): string {
    const value = this.#store.get(key);
    if (value !== undefined) return text.decode(value);
    throw new VeilgridError("damaged-folder", "the run does not know the name of a changed meter", {
      blame: "operator",
    });
  }
}

/** The BIDs (16 bytes) of all who are supplied in a month: from a first supply to the newest one's end. */
export function suppliedIn(standings: readonly MeterStanding[], month: number): Uint8Array[] {
  const spans = new Map<string, { bid: Uint8Array; from: Period; to: Period | undefined }>();
  for (const { bid, from, to } of standings.flatMap(({ supplies }) => supplies)) {
    spans.set(toHex(bid), { bid, from: spans.get(toHex(bid))?.from ?? from, to });
  }
  const [first, end] = [
    { month, k: 0 },
    { month: month + 1, k: 0 },
  ];
  return [...spans.values()]
    .filter(({ from, to }) => comparePeriods(from, end) < 0 && (to === undefined || comparePeriods(first, to) < 0))
    .map(({ bid }) => bid);
}
