import { VeilgridError } from "@veilgrid/protocol";
import parser from "dsmr-parser";
import { scaled } from "../input/decimal.js";
import type { FaultCode, RegisterReading } from "./register.js";

/** What a P1 telegram says of the registers (DSMR P1 Companion Standard 5.0, section 6.12). */
export type TelegramRegisters = Pick<RegisterReading, "imported" | "exported" | "device">;

/** Imported and exported energy in the low and the high tariff: kWh with three decimals, so whole Wh. */
const IMPORTED = ["1-0:1.8.1", "1-0:1.8.2"] as const;
const EXPORTED = ["1-0:2.8.1", "1-0:2.8.2"] as const;
const DEVICE = "0-0:96.1.1";
const KWH_DECIMALS = 3;

function refused(code: FaultCode, why: string): VeilgridError {
  return new VeilgridError(code, why, { blame: "peer", retry: true });
}

/** Form and checksum are the library's; the figures are read as text, since it makes floating point numbers of them. */
function checked(telegram: string): void {
  try {
    parser.parse(telegram);
  } catch (error) {
    const garbled = error instanceof Error && error.message === "CHECKSUM_MISMATCH";
    // INVALID_TELEGRAM, and INVALID_TIMESTAMP and the like, which the library throws after the checksum.
    throw garbled
      ? refused("bad-checksum", "the telegram's checksum is another")
      : refused("bad-telegram", "these bytes are no telegram");
  }
}

/** The one value of an object; undefined where it is not there. */
function valueOf(lines: readonly string[], object: string): string | undefined {
  const found = lines.filter((line) => line.startsWith(`${object}(`));
  const [line] = found;
  if (line === undefined) return undefined;
  const value = /^[^(]+\(([^()]*)\)$/.exec(line)?.[1];
  if (found.length === 1 && value !== undefined) return value;
  throw refused("no-register", `${object} is not there once, with one value`);
}

function energy(lines: readonly string[], object: string): bigint {
  const value = valueOf(lines, object);
  const digits = /^(\d{1,9}(?:\.\d{1,3})?)\*kWh$/.exec(value ?? "")?.[1];
  const wh = digits === undefined ? undefined : scaled(digits, KWH_DECIMALS);
  if (wh !== undefined && "value" in wh) return wh.value;
  throw refused("no-register", `${object} is not there in kWh`);
}

function total(lines: readonly string[], objects: readonly string[]): bigint {
  return objects.reduce((sum, object) => sum + energy(lines, object), 0n);
}

/**
 * Reads one telegram, from "/" to the checksum's CR LF.
 * @throws VeilgridError `bad-telegram`, `bad-checksum`, `no-register`; its text quotes no figure.
 */
export function registersOf(telegram: string): TelegramRegisters {
  checked(telegram);
  const lines = telegram.split("\r\n");
  const device = valueOf(lines, DEVICE);
  return {
    imported: total(lines, IMPORTED),
    exported: total(lines, EXPORTED),
    ...(device === undefined || device === "" ? {} : { device }),
  };
}
