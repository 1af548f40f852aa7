import { randomBytes } from "node:crypto";
import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  consortiumId,
  monthName,
  paramsCodec,
  periodStart,
  toHex,
  VeilgridError,
  type Params,
} from "@veilgrid/protocol";
import { stringify } from "yaml";
import { readProfile, type Profile } from "../fabric/profile.js";
import { readBytes, syncFolder, writeWhole } from "../store/files.js";
import {
  authorityFile,
  ccConfiguration,
  daConfiguration,
  FILE,
  fleetConfiguration,
  kgcbpConfiguration,
  ledgerConfiguration,
  type Configuration,
  type Ground,
} from "./configurations.js";
import { newParties, organisationsOf, paramsOf, type Home, type Organisation, type Parties } from "./parties.js";
import { choosePlaces } from "./places.js";
import { OVERVIEW, type Overview } from "./overview.js";
import { endOf, requirePossible, type ConsortiumShape } from "./shape.js";

const PRIVATE = 0o600;

/** What every file of a party's folder is written with. */
interface Site {
  readonly ground: Ground;
  readonly params: Uint8Array;
  readonly profile: Profile | undefined;
  readonly seed: string;
}

/**
 * Makes the folders of a consortium's parties: for each its configuration, its secrets (mode 0600, in a folder that its
 * owner alone may open), its certificates, and what is public of the others; nothing that is another's own.
 * @param out folder that is not there yet; it takes its name only when everything is in it.
 * @throws VeilgridError `folder-exists`, `impossible-consortium`, `port-taken`, `no-profile`, `bad-profile`.
 */
export async function makeConsortium(shape: ConsortiumShape, out: string): Promise<Overview> {
  requirePossible(shape);
  if ((await readBytes(join(out, OVERVIEW))) !== undefined) throw exists(out);
  const profile = shape.ledger.kind === "fabric" ? await readProfile(shape.ledger.profile) : undefined;
  const parties = await newParties(shape);
  const ground: Ground = { shape, parties, places: await choosePlaces(shape) };
  const params = paramsOf(shape, parties);
  const bytes = paramsCodec.encode(params);
  const site: Site = { ground, params: bytes, profile, seed: randomBytes(8).toString("hex") };
  const partial = `${resolve(out)}.partial`;
  await rm(partial, { recursive: true, force: true });
  await writeAll(partial, site);
  const overview = overviewOf(site, params);
  await writeWhole(join(partial, OVERVIEW), `${JSON.stringify(overview, undefined, 2)}\n`);
  await syncFolder(partial);
  await rename(partial, resolve(out)).catch((cause: unknown) => {
    throw exists(out, cause);
  });
  return overview;
}

function exists(folder: string, cause?: unknown): VeilgridError {
  return new VeilgridError("folder-exists", `${folder} is there already, and a consortium is made once`, {
    facts: { folder },
    blame: "caller",
    cause,
  });
}

function overviewOf({ ground, params: bytes, seed }: Site, params: Params): Overview {
  const { shape, places } = ground;
  return {
    version: 1,
    consortium: toHex(consortiumId(bytes)),
    ledger: shape.ledger.kind,
    ...(shape.ledger.kind === "fabric" && { profile: resolve(shape.ledger.profile) }),
    das: params.da.map(({ msp }) => msp),
    regions: shape.regions,
    meters: shape.meters,
    periodSeconds: shape.periodSeconds,
    first: shape.first,
    periods: shape.periods ?? null,
    timezone: shape.timezone,
    seed,
    places,
  };
}

async function writeAll(root: string, site: Site): Promise<void> {
  const { parties } = site.ground;
  await mkdir(root, { recursive: true });
  await writeWhole(join(root, FILE.params), site.params);
  for (const da of parties.das) {
    await writeOrganisation(join(root, da.name), site, da, { "da.yaml": daConfiguration(site.ground, da) });
  }
  await writeOrganisation(join(root, "cc"), site, parties.cc, { "cc.yaml": ccConfiguration(site.ground) });
  const kgcbp = join(root, "kgcbp");
  await writeOrganisation(kgcbp, site, parties.kgcbp, { "kgcbp.yaml": kgcbpConfiguration(site.ground) });
  await writePrivate(join(kgcbp, FILE.enrolments), `${JSON.stringify(enrolments(site))}\n`);
  if (site.profile === undefined) await writeLedger(join(root, "ledger"), site);
  await writeMeters(join(root, "meters"), site);
  await writeCustomers(join(root, "customers"), parties.homes);
}

/** A folder that its owner alone may open. */
async function ownFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
}

function writePrivate(path: string, content: string): Promise<void> {
  return writeWhole(path, content, PRIVATE);
}

async function writeYaml(folder: string, files: Readonly<Record<string, Configuration>>): Promise<void> {
  for (const [name, configuration] of Object.entries(files)) {
    await writeWhole(join(folder, name), stringify(configuration, { lineWidth: 0 }));
  }
}

async function writeAuthorities(folder: string, { ground }: Site, except?: Organisation): Promise<void> {
  const { parties } = ground;
  await mkdir(join(folder, "authorities"));
  for (const other of organisationsOf(parties)) {
    if (other.name === except?.name) continue;
    await writeWhole(join(folder, authorityFile(other.address)), other.authority.certificate);
  }
}

async function writeTls(
  folder: string,
  { authority, identity }: Pick<Organisation, "authority" | "identity">,
): Promise<void> {
  await ownFolder(join(folder, "tls"));
  await writeWhole(join(folder, FILE.certificate), identity.certificate);
  await writePrivate(join(folder, FILE.key), identity.key);
  await writeWhole(join(folder, FILE.authority), authority.certificate);
  await writePrivate(join(folder, FILE.authorityKey), await authority.key());
}

async function writeOrganisation(
  folder: string,
  site: Site,
  own: Organisation,
  files: Readonly<Record<string, Configuration>>,
): Promise<void> {
  await ownFolder(folder);
  await writeYaml(folder, files);
  await writeWhole(join(folder, FILE.params), site.params);
  await writePrivate(join(folder, FILE.secret), `${toHex(own.secret)}\n`);
  await writeTls(folder, own);
  await writeAuthorities(folder, site, own);
  const { ledger } = site.ground.parties;
  if (site.profile === undefined) await writeWhole(join(folder, authorityFile("ledger")), ledger.authority.certificate);
  else
    await writePrivate(join(folder, FILE.profile), `${JSON.stringify(ownProfile(site.profile, own), undefined, 2)}\n`);
}

/** A network's profile with one organisation's client. */
function ownProfile(profile: Profile, { msp }: Organisation): Profile {
  const clients = profile.clients.filter((client) => client.msp === msp);
  if (clients.length > 0) return { ...profile, clients };
  throw new VeilgridError("no-client", `the connection profile has no client of ${msp}`, {
    facts: { msp },
    blame: "caller",
  });
}

async function writeLedger(folder: string, site: Site): Promise<void> {
  await ownFolder(folder);
  await writeYaml(folder, { "ledger.yaml": ledgerConfiguration(site.ground) });
  await writeWhole(join(folder, FILE.params), site.params);
  await writeTls(folder, site.ground.parties.ledger);
  await writeAuthorities(folder, site);
}

/** Who is supplied where, as KGCBP takes it in, with the month keys. */
function enrolments({ ground: { shape, parties } }: Site): readonly Configuration[] {
  const end = endOf(shape);
  const time = (period: Parameters<typeof periodStart>[0]): string =>
    new Date(periodStart(period, shape.periodSeconds)).toISOString();
  return parties.homes.map(({ meter, bid, region, customer, monthKey }) => ({
    meter,
    bid: toHex(bid),
    region,
    recipient: customer.recipient,
    from: time(shape.first),
    ...(end !== undefined && { to: time(end) }),
    monthKey: toHex(monthKey),
  }));
}

async function writeMeters(folder: string, site: Site): Promise<void> {
  const { shape, parties } = site.ground;
  await ownFolder(folder);
  await writeYaml(folder, { "fleet.yaml": fleetConfiguration(site.ground, site.seed, shape.timezone) });
  await writeWhole(join(folder, FILE.params), site.params);
  const month = monthName(shape.first.month);
  const meters = parties.homes.map(({ meter, household, region, monthKey }) => ({
    name: meter,
    household,
    region,
    month,
    key: toHex(monthKey),
  }));
  await writePrivate(join(folder, FILE.meters), `${JSON.stringify(meters)}\n`);
  await mkdir(join(folder, "authorities"));
  for (const { address, authority } of parties.das) {
    await writeWhole(join(folder, authorityFile(address)), authority.certificate);
  }
}

/** Each customer's age identity, as any age tool reads it, and the name that the ledger knows it by. */
async function writeCustomers(folder: string, homes: Parties["homes"]): Promise<void> {
  await ownFolder(folder);
  for (const home of homes) await writePrivate(join(folder, `${home.meter}.txt`), identityText(home));
}

function identityText({ bid, customer }: Home): string {
  return `# bid: ${toHex(bid)}\n# public key: ${customer.recipient}\n${customer.identity}\n`;
}
