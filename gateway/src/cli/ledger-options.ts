import { VeilgridError } from "@veilgrid/protocol";
import { Option, type Command } from "commander";
import { ledgerKinds, type LedgerKind } from "../world/plan.js";
import { jsonOption, outOption, type FolderOptions } from "./options.js";

/** Where a run's ledger is. A folder knows, once its run is there. */
export interface PlaceOptions {
  readonly ledger?: LedgerKind;
  /** A connection profile: how peers are reached. */
  readonly profile?: string;
}

/** What a command takes that goes on with the run of a folder. */
export interface StageOptions extends FolderOptions, PlaceOptions {}

/** What a command on a run's folder says of --ledger. */
export const ON_FABRIC = `On Fabric: --ledger fabric --profile FILE, once; the folder knows both from then on.`;

function profileOption(): Option {
  return new Option("--profile <file>", "connection profile of a Fabric network (default: the folder's)");
}

/** Adds what says where the run's ledger is. */
export function addPlaceOptions(command: Command): Command {
  const ledger = new Option("--ledger <where>", "where the run's ledger is (default: the folder's)");
  return command.addOption(ledger.choices(ledgerKinds)).addOption(profileOption());
}

/** Adds what every command takes that works on a run's folder. */
export function addStageOptions(command: Command): Command {
  return addPlaceOptions(command.addOption(outOption())).addOption(jsonOption());
}

/** Which ledger a command reads. */
export interface LedgerOptions {
  readonly out: string;
  /** "embedded" or "fabric", or else an exported file. */
  readonly ledger?: string;
  readonly profile?: string;
  /** Whether a folder was named. */
  readonly isFolderNamed?: boolean;
}

/** Adds what says which ledger is read: a folder's, an exported file, or a Fabric channel without any folder. */
export function addLedgerOptions(command: Command): Command {
  return command
    .addOption(outOption())
    .option("--ledger <where>", "an exported ledger file, or fabric, in place of a folder")
    .addOption(profileOption())
    .hook("preAction", (_, own) => {
      own.setOptionValue("isFolderNamed", own.getOptionValueSource("out") === "cli");
    });
}

/** A ledger to be read. */
export type LedgerSource =
  | { readonly kind: "folder"; readonly path: string; readonly place: PlaceOptions }
  | { readonly kind: "fabric"; readonly profile: string }
  | { readonly kind: "file"; readonly path: string };

function isKind(ledger: string | undefined): ledger is LedgerKind | undefined {
  return ledger === undefined || (ledgerKinds as readonly string[]).includes(ledger);
}

/** The ledger that the options name. @throws VeilgridError `bad-option` where they contradict each other. */
export function sourceOf({ out, ledger, profile, isFolderNamed = false }: LedgerOptions): LedgerSource {
  if (!isKind(ledger)) {
    if (isFolderNamed) throw unfit("--ledger FILE stands in place of --out");
    if (profile !== undefined) throw unfit("--profile goes with --ledger fabric, and not with a file");
    return { kind: "file", path: ledger };
  }
  if (ledger !== "fabric" || isFolderNamed) {
    const place = { ...(ledger !== undefined && { ledger }), ...(profile !== undefined && { profile }) };
    return { kind: "folder", path: out, place };
  }
  if (profile !== undefined) return { kind: "fabric", profile };
  throw unfit("--ledger fabric needs the network's --profile FILE, or --out DIR of a run on it");
}

/** An option that does not go with the others. */
export function unfit(message: string): VeilgridError {
  return new VeilgridError("bad-option", message, { blame: "caller" });
}
