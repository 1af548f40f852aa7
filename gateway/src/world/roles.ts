import { Fleet, Meter } from "@veilgrid/meter-client";
import {
  addPeriods,
  consortiumId,
  daAddress,
  LedgerView,
  paramsCodec,
  type Params,
  type VerifiedSignatures,
} from "@veilgrid/protocol";
import { decryptWith } from "../bill/encryption.js";
import { ControlCenter } from "../cc/cc.js";
import { Aggregator } from "../da/aggregator.js";
import type { Conduct } from "../da/proposer.js";
import type { PricePolicy } from "../input/policy.js";
import { ContentFolder } from "../ipfs/content-folder.js";
import { Kgcbp } from "../kgcbp/kgcbp.js";
import type { StoredKeys } from "../kgcbp/keys.js";
import { Safe } from "../kgcbp/safe.js";
import { VaultFolder } from "../kgcbp/vault-folder.js";
import type { Clock } from "../ports/clock.js";
import type { PeerLedger } from "../ports/ledger.js";
import type { Log } from "../ports/log.js";
import type { Store } from "../ports/store.js";
import type { SimNetwork } from "../sim/network.js";
import { LevelStore, type Database } from "../store/level.js";
import { daMsp, runParamsBytes } from "./consortium.js";
import type { DataFolder } from "./folder.js";
import { faultsOf, regionOf, tariffOf, type RunRecord } from "./plan.js";
import type { Device } from "./run-meters.js";
import type { Seats } from "./seats.js";
import type { RunKeys } from "./secrets.js";

/** What the roles of a run are made from. */
export interface Ground {
  readonly record: RunRecord;
  readonly keys: RunKeys;
  readonly seats: Seats;
  readonly folder: DataFolder;
  readonly database: Database;
  readonly safe: Safe;
  readonly clock: Clock;
  readonly network: SimNetwork;
  readonly memory: VerifiedSignatures;
  readonly policy: PricePolicy;
  readonly log: Log;
}

/**
 * How long a bundle of meters' readings stays open here. A service takes what comes in within tens of milliseconds of
 * thousands of meters; a run of a few dozen meters has as many in a minute, and its meters are as patient.
 */
const BUNDLE_MS = 60_000;
const PATIENCE_MS = 75_000;

/**
 * A run can be made again from its folder, so its roles' stores need not survive the machine, only `kill -9`; the ledger
 * survives both.
 */
const STORE = { sync: false };

/** "leaves a reading out of every proposal": the last one, whosever it is. */
const OMITTING: Conduct = { select: (readings) => readings.slice(0, -1) };

/** One aggregator, as a process that is started anew. */
export function newAggregator(ground: Ground, ledger: PeerLedger, index: number, onRetired: () => void): Aggregator {
  const { record, keys, seats, database, clock, network, memory, log } = ground;
  const omits = faultsOf(record).some((fault) => fault.kind === "omit" && fault.da === index);
  return new Aggregator(
    {
      secret: seats.first(index).secret,
      otherSecrets: seats.later(index).map(({ secret }) => secret),
      onRetired,
      bundleMs: BUNDLE_MS,
      ...(omits ? { conduct: OMITTING } : {}),
    },
    {
      clock,
      transport: network.transport(daAddress({ msp: daMsp(index) })),
      store: new LevelStore(database, `da/${index}`, STORE),
      ledger: ledger.as({ msp: daMsp(index) }),
      view: new LedgerView(ledger.state),
      random: keys.random,
      memory,
      log,
    },
  );
}

/** KGCBP's part of the database, by the stores' names in its backup. */
export function kgcbpStores(database: Database): { readonly keys: Store; readonly work: Store } {
  return { keys: new LevelStore(database, "keys", STORE), work: new LevelStore(database, "kgcbp", STORE) };
}

/** KGCBP's stores, sealed and backed up: each key is in the journal, on the disk, before anything uses it. */
export async function openSafe({
  record,
  keys,
  folder,
  database,
}: Omit<Ground, "safe" | "clock" | "network">): Promise<Safe> {
  const consortium = consortiumId(runParamsBytes(record, keys));
  const stores = kgcbpStores(database);
  return Safe.open({
    keys: { store: stores.keys, sync: true },
    work: { store: stores.work, ...STORE },
    shelf: await VaultFolder.open(folder.vault),
    backup: { folder: folder.backup, consortium },
  });
}

/** KGCBP with every meter and customer of the run enrolled: supply runs from the input's first to its last period. */
export async function openKgcbp(ground: Ground, ledger: PeerLedger): Promise<Kgcbp> {
  const { record, keys, seats, safe, folder, clock, network, memory, log } = ground;
  await enrol(safe.keys, record, keys);
  return Kgcbp.open(
    {
      secret: keys.kgcbp.secret,
      otherSecrets: seats.later("kgcbp").map(({ secret }) => secret),
      tariff: tariffOf(record),
      timeZone: record.arguments.timezone,
      ...(record.arguments.seed === null ? {} : { seed: keys.random }),
    },
    {
      clock,
      transport: network.transport("kgcbp"),
      store: safe.work,
      view: new LedgerView(ledger.state),
      keys: safe.keys,
      content: await ContentFolder.open(folder.ipfs),
      random: keys.random,
      memory,
      log,
    },
  );
}

async function enrol(keyStore: StoredKeys, { arguments: asked, input }: RunRecord, keys: RunKeys): Promise<void> {
  const to = addPeriods(input.first, input.periods, input.periodSeconds);
  for (const [i, { bid, monthKey, customer, device }] of keys.homes.entries()) {
    const names = { meter: input.households[i] as string, recipient: customer.recipient, device: device.recipient };
    const region = regionOf(i, asked.regions);
    await keyStore.enrol({ ...names, bid, region, from: input.first, to }, monthKey);
  }
}

export function newControlCenter(
  { keys, seats, clock, network, memory, policy, log }: Ground,
  ledger: PeerLedger,
): ControlCenter {
  const transport = network.transport("cc");
  const view = new LedgerView(ledger.state);
  const otherSecrets = seats.later("cc").map(({ secret }) => secret);
  return new ControlCenter({ secret: keys.cc.secret, otherSecrets, policy }, { clock, transport, view, memory, log });
}

/** The devices of the run, all on one store. */
export function newFleet(
  { record, keys, database, clock, network, memory, log }: Ground,
  devices: readonly Device[],
): Fleet {
  const bytes = runParamsBytes(record, keys);
  const params: Params = paramsCodec.decode(bytes);
  const consortium = consortiumId(bytes);
  const store = new LevelStore(database, "meters", STORE);
  const { month } = record.input.first;
  const meters = devices.map(({ meter, name, key, installed }) => {
    const enrolled = { meter, device: key.recipient };
    const before = installed === undefined ? {} : { key: { month, key: installed.monthKey } };
    // A device that came later learns its region with its keys.
    const region = installed?.region ?? 1;
    const transport = network.transport(`meter/${name}`);
    return new Meter(
      { name, consortium, region, params, enrolled, ...before, patienceMs: PATIENCE_MS },
      { clock, store, transport, random: keys.random, memory, log, open: (told) => decryptWith(key.identity, told) },
    );
  });
  return new Fleet(meters, store);
}
