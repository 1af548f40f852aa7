import { fromHex, monthOf } from "@veilgrid/protocol";
import { InvalidArgumentError, Option } from "commander";

/** A whole number from `low` to `high`. */
export function whole(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    const range = high === Number.MAX_SAFE_INTEGER ? `${low} or more` : `from ${low} to ${high}`;
    throw new InvalidArgumentError(`It must be a whole number, ${range}.`);
  };
}

/** "YYYY-MM" as 12*year + (month-1). */
export function month(text: string): number {
  try {
    return monthOf(text);
  } catch {
    throw new InvalidArgumentError("It must be a month from 1970-01 on, such as 2013-04.");
  }
}

/** `count` bytes in hex. */
export function hexBytes(count: number): (text: string) => Uint8Array {
  return (text) => {
    if (new RegExp(`^[0-9a-f]{${2 * count}}$`, "i").test(text)) return fromHex(text.toLowerCase());
    throw new InvalidArgumentError(`It must be ${2 * count} hex digits.`);
  };
}

/** The folder that a command works on. */
export function outOption(): Option {
  return new Option("--out <dir>", "data folder, which keeps all state").default("veilgrid-demo");
}

export function jsonOption(): Option {
  return new Option("--json", "print the result as JSON");
}

export function monthOption(): Option {
  return new Option("--month <YYYY-MM>", "billing month (default: the run's, if it has one)").argParser(month);
}

/** What every command takes that works on a folder. */
export interface FolderOptions {
  readonly out: string;
  readonly json?: boolean;
}

/** The text after a command's options: how it is called, and what else there is to know. */
export function examples(calls: readonly string[], notes = ""): string {
  return ["", "Examples:", ...calls.map((call) => `  ${call}`), ...(notes === "" ? [] : ["", notes])].join("\n");
}
