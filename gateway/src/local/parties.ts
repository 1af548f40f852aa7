import { randomBytes } from "node:crypto";
import { schnorr, type Params, paramsDefaults, VeilgridError } from "@veilgrid/protocol";
import { newCustomerKey, type CustomerKey } from "../bill/encryption.js";
import { Authority, type Identity } from "../grpc/authority.js";
import { CC_MSP, CHANNEL, daMsp, KGCBP_MSP } from "../world/consortium.js";
import { regionOf } from "../world/plan.js";
import { SERVER_NAME } from "./names.js";
import type { ConsortiumShape } from "./shape.js";

/** An organisation with everything that is its own. */
export interface Organisation {
  /** Its folder. */
  readonly name: string;
  readonly msp: string;
  /** How others name it: "da/<MSP>", "cc", "kgcbp". */
  readonly address: string;
  /** BIP-340. */
  readonly secret: Uint8Array;
  readonly key: Uint8Array;
  readonly authority: Authority;
  /** For its servers and as a client of the others. */
  readonly identity: Identity;
}

/** A customer and the meter at its home. */
export interface Home {
  readonly meter: string;
  /** Its number, from 0. */
  readonly household: number;
  readonly region: number;
  readonly bid: Uint8Array;
  /** K of the supply's first month. */
  readonly monthKey: Uint8Array;
  readonly customer: CustomerKey;
}

/** Everybody of a consortium, with all secrets: in memory only, while the folders are written. */
export interface Parties {
  readonly das: readonly Organisation[];
  readonly cc: Organisation;
  readonly kgcbp: Organisation;
  /** Who runs the embedded ledger's service. */
  readonly ledger: { readonly authority: Authority; readonly identity: Identity };
  readonly homes: readonly Home[];
}

/** A new BIP-340 pair; a draw that is no secret is drawn again. */
function signingPair(): { readonly secret: Uint8Array; readonly key: Uint8Array } {
  for (;;) {
    const secret = new Uint8Array(randomBytes(32));
    try {
      return { secret, key: schnorr.publicKey(secret) };
    } catch (error) {
      if (!(error instanceof VeilgridError)) throw error;
    }
  }
}

async function organisation(
  name: string,
  msp: string,
  address: string,
  hosts: readonly string[],
): Promise<Organisation> {
  const authority = await Authority.make(`${msp} authority`);
  const identity = await authority.issue({ name: msp, hosts });
  return { name, msp, address, ...signingPair(), authority, identity };
}

async function home(household: number, regions: number): Promise<Home> {
  return {
    meter: `P${String(household + 1).padStart(4, "0")}`,
    household,
    region: regionOf(household, regions),
    bid: new Uint8Array(randomBytes(16)),
    monthKey: new Uint8Array(randomBytes(32)),
    customer: await newCustomerKey(),
  };
}

/** Draws every key of a consortium from the machine's randomness. */
export async function newParties({ das, regions, meters, host }: ConsortiumShape): Promise<Parties> {
  const hosts = [host, SERVER_NAME];
  const authority = await Authority.make("ledger service authority");
  const homes: Home[] = [];
  for (let i = 0; i < meters; i += 1) homes.push(await home(i, regions));
  return {
    das: await Promise.all(
      Array.from({ length: das }, (_, i) => organisation(`da${i}`, daMsp(i), `da/${daMsp(i)}`, hosts)),
    ),
    cc: await organisation("cc", CC_MSP, "cc", hosts),
    kgcbp: await organisation("kgcbp", KGCBP_MSP, "kgcbp", hosts),
    ledger: { authority, identity: await authority.issue({ name: "ledger service", hosts }) },
    homes,
  };
}

/** All organisations, aggregators first. */
export function organisationsOf({ das, cc, kgcbp }: Parties): readonly Organisation[] {
  return [...das, cc, kgcbp];
}

/** Version 1 of the parameter set. */
export function paramsOf(shape: ConsortiumShape, { das, cc, kgcbp }: Parties): Params {
  const largest = Math.ceil(shape.meters / shape.regions);
  const quarters = shape.periodSeconds === 900 ? { billBytes: 196_608 } : {};
  return {
    ...paramsDefaults,
    ...quarters,
    ...shape.params,
    maxRegionMeters: Math.max(paramsDefaults.maxRegionMeters, largest),
    version: 1,
    channel: CHANNEL,
    da: das.map(({ msp, key }) => ({ msp, key })),
    cc: { msp: cc.msp, key: cc.key },
    kgcbp: { msp: kgcbp.msp, key: kgcbp.key },
    periodSeconds: shape.periodSeconds,
  };
}
