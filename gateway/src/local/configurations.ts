import { SERVER_NAME } from "./names.js";
import type { Organisation, Parties } from "./parties.js";
import { organisationsOf } from "./parties.js";
import type { Place, Places } from "./places.js";
import type { ConsortiumShape } from "./shape.js";

// What stands in each party's configuration; paths are relative to its own folder (files.ts).

/** A configuration's keys and values. */
export type Configuration = Readonly<Record<string, unknown>>;

/** Names of the files in a party's folder. */
export const FILE = {
  params: "params.bin",
  secret: "secret",
  certificate: "tls/own.pem",
  key: "tls/own.key",
  authority: "tls/authority.pem",
  authorityKey: "tls/authority.key",
  profile: "profile.json",
  enrolments: "enrolments.json",
  meters: "meters.json",
  data: "data",
} as const;

/** Where a party's folder has another party's authority. */
export function authorityFile(address: string): string {
  return `authorities/${address.replace("/", "-")}.pem`;
}

export interface Ground {
  readonly shape: ConsortiumShape;
  readonly parties: Parties;
  readonly places: Places;
}

function at({ host }: Places, port: number): string {
  return `${host}:${port}`;
}

function placeOf({ parties, places }: Ground, { name }: Organisation): Place {
  const index = parties.das.findIndex((da) => da.name === name);
  return places.das[index] ?? (name === "cc" ? places.cc : places.kgcbp);
}

function listening({ places }: Ground, port: number): Configuration {
  return { listen: at(places, port), certificate: FILE.certificate, key: FILE.key };
}

function ledgerSection({ shape, places }: Ground): Configuration {
  if (shape.ledger.kind === "fabric") return { kind: "fabric", profile: FILE.profile };
  return {
    kind: "embedded",
    target: at(places, places.ledger.listen),
    authority: authorityFile("ledger"),
    serverName: SERVER_NAME,
    certificate: FILE.certificate,
    key: FILE.key,
  };
}

/** What all three kinds of organisations have. */
function common(ground: Ground, own: Organisation): Configuration {
  const others = organisationsOf(ground.parties).filter(({ name }) => name !== own.name);
  return {
    msp: own.msp,
    secretFile: FILE.secret,
    params: FILE.params,
    data: FILE.data,
    ledger: ledgerSection(ground),
    organisations: listening(ground, placeOf(ground, own).organisations),
    peers: others.map((other) => ({
      address: other.address,
      target: at(ground.places, placeOf(ground, other).organisations),
      authority: authorityFile(other.address),
      serverName: SERVER_NAME,
    })),
    http: { listen: at(ground.places, placeOf(ground, own).http) },
  };
}

/** All meters come from one address here, and a period takes seconds: what bounds one network must be that of a city. */
const ONE_ADDRESS = {
  calls: 4096,
  streams: 1024,
  callsPerSecond: 10_000,
  callBurst: 20_000,
  connectionsPerCaller: 4096,
  connectionsPerSecond: 10_000,
  connectionBurst: 20_000,
  connectionBytes: 1_000_000_000_000,
} as const;

/** An aggregator's configuration. */
export function daConfiguration(ground: Ground, own: Organisation): Configuration {
  const meters = listening(ground, placeOf(ground, own).meters);
  return { role: "da", ...common(ground, own), meters, limits: { meters: ONE_ADDRESS } };
}

export function ccConfiguration(ground: Ground): Configuration {
  return { role: "cc", ...common(ground, ground.parties.cc), policy: ground.shape.price };
}

export function kgcbpConfiguration(ground: Ground): Configuration {
  const { kgcbp } = ground.parties;
  return {
    role: "kgcbp",
    ...common(ground, kgcbp),
    meters: listening(ground, placeOf(ground, kgcbp).meters),
    timeZone: ground.shape.timezone,
    content: { folder: "ipfs" },
    vault: "vault",
    backup: "backup",
    enrolments: FILE.enrolments,
  };
}

/** The embedded ledger's service. */
export function ledgerConfiguration(ground: Ground): Configuration {
  const { parties, places } = ground;
  return {
    role: "ledger",
    params: FILE.params,
    ...listening(ground, places.ledger.listen),
    data: FILE.data,
    callers: organisationsOf(parties).map(({ msp, address }) => ({ msp, authority: authorityFile(address) })),
    http: { listen: at(places, places.ledger.http) },
  };
}

/** All meters in one process. */
export function fleetConfiguration({ parties, places }: Ground, seed: string, timezone: string): Configuration {
  return {
    role: "fleet",
    params: FILE.params,
    data: FILE.data,
    das: parties.das.map(({ address }, i) => ({
      address,
      target: at(places, (places.das[i] as Place).meters),
      authority: authorityFile(address),
      serverName: SERVER_NAME,
    })),
    meters: FILE.meters,
    driver: { kind: "profile", seed, timezone },
    http: { listen: at(places, places.fleet.http) },
  };
}
