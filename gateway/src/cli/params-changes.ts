import { fromHex, type ParamsChange, type ParamsValues } from "@veilgrid/protocol";
import { InvalidArgumentError } from "commander";
import type { RunChange } from "../world/successor.js";
import { unfit } from "./ledger-options.js";

// What --rotate, --add-da and --remove-da say: to a run parties by their numbers, whose keys it makes; to a service
// organisations by their MSP ids, with the keys that they made.

/** A party that gets a new key. */
export interface Rotation {
  /** "da/…", "cc" or "kgcbp". */
  readonly party: string;
  /** x-only, 32 bytes. */
  readonly key: Uint8Array | undefined;
}

/** An aggregator that joins. */
export interface Joining {
  readonly msp: string;
  readonly key: Uint8Array;
}

/** The changes that options name. */
export interface ChangeOptions {
  readonly rotate?: readonly Rotation[];
  readonly addDa?: true | readonly Joining[];
  readonly removeDa?: readonly string[];
  readonly set?: ParamsValues;
}

export function rotation(text: string, before: readonly Rotation[] = []): Rotation[] {
  const [, party, key] = /^(da\/[^=\s]+|cc|kgcbp)(?:=([0-9a-f]{64}))?$/.exec(text) ?? [];
  if (party !== undefined) return [...before, { party, key: key === undefined ? undefined : fromHex(key) }];
  throw new InvalidArgumentError("It must be da/NUMBER, cc or kgcbp, or in a service da/MSP=KEY, cc=KEY or kgcbp=KEY.");
}

export function joining(text: string, before: true | readonly Joining[] = []): Joining[] {
  const [, msp, key] = /^([^=\s]+)=([0-9a-f]{64})$/.exec(text) ?? [];
  if (msp === undefined || key === undefined)
    throw new InvalidArgumentError("It stands alone, or in a service with MSP=KEY.");
  return [...(before === true ? [] : before), { msp, key: fromHex(key) }];
}

export function leaving(text: string, before: readonly string[] = []): string[] {
  if (/^\S+$/.test(text)) return [...before, text];
  throw new InvalidArgumentError("It must be an aggregator's number, or in a service its MSP id.");
}

/** The changes of a run's version. @throws VeilgridError `bad-option` for what a service takes. */
export function runChanges({ rotate = [], addDa, removeDa = [], set }: ChangeOptions): RunChange[] {
  if (addDa !== undefined && addDa !== true) throw unfit("--add-da: a run makes the newcomer's key itself");
  return [
    ...rotate.map((one) => ({ what: "rotate", party: runParty(one) }) as const),
    ...removeDa.map((text) => ({ what: "remove-da", seat: seatOf(text, "--remove-da") }) as const),
    ...(addDa === true ? [{ what: "add-da" } as const] : []),
    ...(set === undefined ? [] : [{ what: "set", values: set } as const]),
  ];
}

function runParty({ party, key }: Rotation): number | "cc" | "kgcbp" {
  if (key !== undefined) throw unfit(`--rotate ${party}: a run makes the new key itself`);
  return party === "cc" || party === "kgcbp" ? party : seatOf(party.slice(3), "--rotate");
}

function seatOf(text: string, option: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw unfit(`${option} ${text}: a run's aggregators are told by their numbers`);
}

/** The changes of a version of services. @throws VeilgridError `bad-option` for what only a run knows. */
export function serviceChanges({ rotate = [], addDa, removeDa = [], set }: ChangeOptions): ParamsChange[] {
  if (addDa === true) throw unfit("--add-da MSP=KEY is due: the newcomer makes its key itself");
  return [
    ...rotate.map(rotated),
    ...removeDa.map((msp) => ({ what: "remove-da", msp }) as const),
    ...(addDa ?? []).map(({ msp, key }) => ({ what: "add-da", msp, key }) as const),
    ...(set === undefined ? [] : [{ what: "set", values: set } as const]),
  ];
}

function rotated({ party, key }: Rotation): ParamsChange {
  if (key === undefined) throw unfit(`--rotate ${party}=KEY is due: its organisation makes the key itself`);
  if (party === "cc" || party === "kgcbp") return { what: `rotate-${party}`, key };
  return { what: "rotate-da", msp: party.slice(3), key };
}
