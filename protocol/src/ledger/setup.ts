import { consortiumId } from "../messages/hashes.js";
import { paramsCodec } from "../messages/params.js";
import { stateKey } from "./keys.js";
import { u16Record } from "./records.js";
import { require } from "./refusal.js";
import type { Transition } from "./state.js";
import type { LedgerView } from "./view.js";

/**
 * The set-up transaction stores exactly the parameter set that the chaincode package contains, or fails
 * (PROTOCOL section 4, Setup).
 * @param paramsBytes version 1 of the parameter set.
 * @throws VeilgridError `already-set-up`, `wrong-version`, `malformed`.
 */
export async function applySetup(view: LedgerView, paramsBytes: Uint8Array): Promise<Transition> {
  require(!(await view.isSetUp()), "already-set-up", "the ledger already holds its parameter set");
  const params = paramsCodec.decode(paramsBytes);
  require(params.version === 1, "wrong-version", "set-up takes version 1", { version: params.version });
  const id = consortiumId(paramsBytes);
  return {
    writes: [
      { key: stateKey.consortium, value: id },
      { key: stateKey.params(1), value: paramsBytes },
      { key: stateKey.paramsVersion, value: u16Record.encode(1) },
    ],
    event: { name: "setup", payload: id },
  };
}
