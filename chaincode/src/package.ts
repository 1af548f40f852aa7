import { readFileSync } from "node:fs";
import { requireApproved, requireNamed } from "./ccaas.js";
import { packagedContract } from "./contract.js";

/**
 * The chaincode package's entry: `params.bin` beside package.json is version 1 of the parameter set. A service is told
 * the id of the package that it serves (CORE_CHAINCODE_ID; fabric-samples' scripts say CHAINCODE_ID) and starts only with
 * the parameters that this binds. What a peer's own builder starts (CORE_CHAINCODE_ID_NAME) comes out of the package, so
 * that the id binds it already; a label that names the parameters is held to them all the same.
 */
const params = readFileSync(new URL("../../params.bin", import.meta.url));
const { CORE_CHAINCODE_ID, CHAINCODE_ID, CORE_CHAINCODE_ID_NAME } = process.env;
const served = CORE_CHAINCODE_ID ?? CHAINCODE_ID;

if (served !== undefined) requireApproved(params, served);
else if (CORE_CHAINCODE_ID_NAME !== undefined) requireNamed(params, CORE_CHAINCODE_ID_NAME);

export const contracts = [packagedContract(params)];
