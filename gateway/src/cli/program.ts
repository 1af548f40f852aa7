import { useEngine, type EngineName } from "@veilgrid/protocol";
import { Command, Option } from "commander";
import { addAudit } from "./audit.js";
import { addBillExplain } from "./bill-explain.js";
import { addBillIssue } from "./bill-issue.js";
import { addBillList } from "./bill-list.js";
import { addBillShow } from "./bill-show.js";
import { addBillVerify } from "./bill-verify.js";
import { addBlockShow } from "./block-show.js";
import { addConsortiumInit } from "./consortium-init.js";
import { addDemo } from "./demo.js";
import { addEngine } from "./engine.js";
import { addEpochs } from "./epochs.js";
import { EXIT_CODES } from "./failure.js";
import { addFleet } from "./fleet.js";
import { addKgcbpBackup } from "./kgcbp-backup.js";
import { addKgcbpCase } from "./kgcbp-case.js";
import { addKgcbpCases } from "./kgcbp-cases.js";
import { addKgcbpEliminate } from "./kgcbp-eliminate.js";
import { addKgcbpMeter } from "./kgcbp-meter.js";
import { addKgcbpRetention } from "./kgcbp-retention.js";
import { addKgcbpSettle } from "./kgcbp-settle.js";
import { addLedgerExport } from "./ledger-export.js";
import { addLedgerPeers } from "./ledger-peers.js";
import { addLedgerServe } from "./ledger-serve.js";
import { addMeterLog } from "./meter-log.js";
import { addMeterRun } from "./meter-run.js";
import { addNetworkPackage } from "./network-package.js";
import { addNetworkParams } from "./network-params.js";
import { addParams } from "./params.js";
import { addPeriodsRun } from "./periods-run.js";
import { addPriceImport } from "./price-import.js";
import { addPrice } from "./price.js";
import { addReadingsCheck } from "./readings-check.js";
import { addReadingsSend } from "./readings-send.js";
import { addReceiptCheck } from "./receipt-check.js";
import { addReceiptExport } from "./receipt-export.js";
import { addCcServe, addDaServe, addKgcbpServe } from "./serve.js";
import { addSetup } from "./setup.js";
import { addUp } from "./up.js";

const VERSION = "0.1.0";

/** How the program talks. */
export interface ProgramOptions {
  /** Errors of usage are left to the caller to print as JSON. */
  readonly json: boolean;
}

/** The command `veilgrid` with all its parts. What its parser refuses is thrown as a CommanderError. */
export function program({ json }: ProgramOptions = { json: false }): Command {
  const veilgrid = new Command("veilgrid")
    .description("private smart metering and dynamic billing on a consortium blockchain")
    .version(VERSION)
    .showHelpAfterError("(--help shows what it takes)")
    // "price" and "price import" both have an --out: what stands after a command's name is its own.
    .enablePositionalOptions()
    .hook("preAction", (_, command) => {
      const { engine } = command.optsWithGlobals<{ engine?: EngineName | "auto" }>();
      if (engine !== undefined) useEngine(engine);
    })
    .configureOutput({
      outputError: (text, write) => {
        write(text.replace(/^error: /, "error bad-usage: "));
      },
      ...(json ? { writeErr: () => undefined } : {}),
    })
    .exitOverride()
    .addHelpText("after", EXIT_CODES);
  addDemo(veilgrid);
  addSetup(veilgrid);
  addEpochs(veilgrid);
  const readings = veilgrid.command("readings").description("send the meters' readings, or check a file of them");
  addReadingsSend(readings);
  addReadingsCheck(readings);
  addPeriodsRun(veilgrid.command("periods").description("commit readings and release masks"));
  addPriceImport(addPrice(veilgrid));
  const bill = veilgrid.command("bill").description("issue, list, show, verify and explain bills");
  for (const add of [addBillIssue, addBillList, addBillShow, addBillVerify, addBillExplain]) add(bill);
  addBlockShow(veilgrid.command("block").description("inspect the blocks of the consortium"));
  const ledger = veilgrid
    .command("ledger")
    .description("take the ledger elsewhere, compare the peers that have it, or serve an embedded one");
  for (const add of [addLedgerExport, addLedgerPeers, addLedgerServe]) add(ledger);
  const receipt = veilgrid
    .command("receipt")
    .description("keep a meter's receipts as files, and hold aggregators to them");
  for (const add of [addReceiptExport, addReceiptCheck]) add(receipt);
  const kgcbp = veilgrid
    .command("kgcbp")
    .description("find faulty meters, leave them out, let them in again and settle their logs, and change meters");
  for (const add of [addKgcbpCases, addKgcbpCase, addKgcbpEliminate, addKgcbpSettle, addKgcbpMeter]) add(kgcbp);
  for (const add of [addKgcbpRetention, addKgcbpBackup]) add(kgcbp);
  addKgcbpServe(kgcbp);
  addDaServe(veilgrid.command("da").description("a data aggregator's service"));
  addCcServe(veilgrid.command("cc").description("the control center's service"));
  const meter = veilgrid.command("meter").description("run a meter as a service, and read its log");
  for (const add of [addMeterRun, addMeterLog]) add(meter);
  addFleet(veilgrid);
  addParams(veilgrid);
  addAudit(veilgrid);
  addConsortiumInit(veilgrid.command("consortium").description("a consortium of processes on this machine"));
  addUp(veilgrid);
  const network = veilgrid.command("network").description("what a Fabric network needs of a run before the run begins");
  addNetworkParams(network);
  addNetworkPackage(network);
  addEngine(veilgrid);
  offerEngines(veilgrid);
  return veilgrid;
}

/** Every command can be told which engine to run, wherever that is said. */
function offerEngines(command: Command): void {
  command.addOption(engineOption());
  for (const part of command.commands) offerEngines(part);
}

function engineOption(): Option {
  const engine = new Option("--engine <name>", "Schnorr signatures (default: $VEILGRID_ENGINE, else auto)");
  return engine.choices(["noble", "wasm", "native", "auto"]);
}
