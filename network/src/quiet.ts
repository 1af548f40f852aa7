/**
 * Import this before anything that imports a contract: fabric-shim and fabric-contract-api log to stdout as soon as
 * they are loaded, and their level is read from the environment at that moment. CRITICAL prints nothing: a refusal is
 * the caller's to report, not the library's.
 */
process.env.CORE_CHAINCODE_LOGGING_LEVEL = "CRITICAL";
