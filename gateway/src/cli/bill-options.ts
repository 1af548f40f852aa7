import { Option, type Command } from "commander";
import { addLedgerOptions, sourceOf, unfit, type LedgerOptions } from "./ledger-options.js";
import { hexBytes, jsonOption, monthOption } from "./options.js";

/** Which bill: by its meter in a folder, or offline by what its customer has. */
export interface BillOptions extends LedgerOptions {
  /** 12*year + (month-1). */
  readonly month?: number;
  readonly customer?: string;
  readonly bid?: Uint8Array;
  readonly identity?: string;
  readonly bill?: string;
  readonly ipfs?: string;
  /** Encrypted bills beside --bill: those that it settles. */
  readonly earlier?: readonly string[];
  readonly consortium?: Uint8Array;
  readonly json?: boolean;
}

/** What is needed to open a bill without the run's folder. */
export interface OfflineBill {
  readonly month: number;
  readonly bid: Uint8Array;
  readonly identity: string;
  readonly bill: string | undefined;
  readonly ipfs: string | undefined;
  readonly earlier: readonly string[];
}

/** Adds what tells a bill: the month, the folder, or what a customer needs without one. */
export function addBillOptions(command: Command): Command {
  return addLedgerOptions(command.addOption(monthOption()))
    .option("--customer <name>", "your name of the customer, where several were at the meter in the month")
    .addOption(new Option("--bid <hex>", "offline: the customer's BID on the ledger").argParser(hexBytes(16)))
    .option("--identity <file>", "offline: the customer's age identity")
    .option("--bill <file>", "offline: the encrypted bill")
    .option("--ipfs <dir>", "offline: or a block store that holds it")
    .addOption(new Option("--consortium <hex>", "refuse the ledger of any other consortium").argParser(hexBytes(32)))
    .addOption(jsonOption());
}

/** How a bill is told without the run's folder. */
export const OFFLINE = `Offline, a customer needs the exported ledger, the encrypted bill, the BID and the age identity: no peer learns
whose bill is verified, and the operator's word plays no part. With --ledger fabric --profile FILE in the file's
place the blocks come from the peers themselves.`;

/**
 * Whether a bill is told by what its customer has, and read from a ledger that is no folder's.
 * @throws VeilgridError `bad-option` where the options contradict each other.
 */
export function isOffline(options: BillOptions): boolean {
  return sourceOf(options).kind !== "folder";
}

/** @throws VeilgridError `bad-option` where options of the offline form are given with a folder. */
export function refuseOffline(options: BillOptions): void {
  const given = (["bid", "identity", "bill", "ipfs", "earlier"] as const).find((name) => options[name] !== undefined);
  if (given !== undefined) throw unfit(`--${given} goes with --ledger`);
}

/** @throws VeilgridError `bad-option` naming what is missing or too much. */
export function requireOffline(meter: string | undefined, options: BillOptions): OfflineBill {
  const { month, customer, bid, identity, bill, ipfs, earlier = [] } = options;
  if (meter !== undefined) throw unfit("with --ledger, and no --out, the bill is told by --bid and not by METER");
  if (customer !== undefined) throw unfit("--customer goes with a METER");
  if (bid === undefined) throw unfit("--ledger needs --bid");
  if (identity === undefined) throw unfit("--ledger needs --identity");
  if (month === undefined) throw unfit("--ledger needs --month");
  if ((bill === undefined) === (ipfs === undefined)) throw unfit("--ledger needs either --bill or --ipfs");
  if (bill === undefined && earlier.length > 0) throw unfit("--earlier goes with --bill: a block store has them all");
  return { month, bid, identity, bill, ipfs, earlier };
}
