export { chaincodeOf, type Chaincode, type ContractClass } from "./ledger/fabric.js";
export type { EndorserOptions } from "./ledger/endorser.js";
export { EmbeddedLedger, type EmbeddedLedgerModules, type EmbeddedLedgerOptions } from "./ledger/embedded.js";
export { contractError, type ContractError } from "./ledger/errors.js";
export { exportLedger } from "./ledger/export.js";
export { LedgerFile } from "./ledger/ledgerfile.js";
