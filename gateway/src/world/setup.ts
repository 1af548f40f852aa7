import { consortiumId, equalBytes, isVeilgridError, LedgerView, toHex, VeilgridError } from "@veilgrid/protocol";
import type { PeerLedger } from "../ports/ledger.js";
import { isEmpty, type Database } from "../store/level.js";
import { KGCBP_MSP, runParamsBytes } from "./consortium.js";
import type { DataFolder } from "./folder.js";
import type { RunRecord } from "./plan.js";
import type { RunKeys } from "./secrets.js";

/** A run, and what its roles keep. */
export interface SetUpGround {
  readonly record: RunRecord;
  readonly keys: RunKeys;
  readonly folder: DataFolder;
  readonly database: Database;
}

/**
 * Stores the parameter set on the ledger, unless it is there, and refuses a ledger that is not this run's.
 * @throws VeilgridError `no-chaincode`, `other-consortium`, `unknown-blocks`, and what a submission throws.
 */
export async function setUp({ record, keys, folder, database }: SetUpGround, ledger: PeerLedger): Promise<void> {
  const view = new LedgerView(ledger.state);
  if (!(await view.isSetUp())) {
    const kgcbp = ledger.as({ msp: KGCBP_MSP });
    await kgcbp.submit({ name: "setup", args: [] }).catch((error: unknown) => explain(error, folder));
  }
  // "SHA-256 of its version 1 bytes is the consortium id, for ever."
  const own = consortiumId(runParamsBytes(record, keys));
  const there = await view.consortium();
  if (!equalBytes(own, there)) throw otherConsortium(folder, own, there);
  if ((await isEmpty(database)) && (await hasBlocks(view))) throw unknownBlocks(folder);
}

/** Whether anything follows the set-up: nothing does before the roles have kept what it is made of. */
async function hasBlocks(view: LedgerView): Promise<boolean> {
  return (await view.term()).term > 0n || (await view.head(0)).number > 0n || (await view.regions()).length > 0;
}

/** Says what to do where the chaincode is yet to be deployed. */
function explain(error: unknown, { params }: DataFolder): never {
  if (!isVeilgridError(error, "no-chaincode")) throw error;
  const { code, facts, blame, cause } = error;
  const sentence = `the channel has no chaincode yet: npm run fabric -- deploy --params ${params}, then the same command again`;
  throw new VeilgridError(code, sentence, { facts, blame, cause });
}

function otherConsortium(folder: DataFolder, own: Uint8Array, there: Uint8Array): VeilgridError {
  const facts = { folder: folder.path, own: toHex(own), there: toHex(there) };
  const sentence =
    `the chaincode of this channel was deployed with the parameters of another run (consortium ${facts.there.slice(0, 16)}), ` +
    `and ${folder.path} is of ${facts.own.slice(0, 16)}: take that run's folder, or a network to which ${folder.params} ` +
    "is deployed (npm run fabric -- reset, then up and deploy --params FILE)";
  return new VeilgridError("other-consortium", sentence, { facts, blame: "caller" });
}

function unknownBlocks({ path }: DataFolder): VeilgridError {
  const sentence =
    `the ledger has blocks of this consortium that ${path} knows nothing of: another folder made them. Go on in that ` +
    "folder, or begin on a new network (npm run fabric -- reset, then up and deploy)";
  return new VeilgridError("unknown-blocks", sentence, { facts: { folder: path }, blame: "caller" });
}
