import { readFileSync } from "node:fs";
import { requireApproved } from "./ccaas.js";
import { packagedContract } from "./contract.js";

/**
 * The chaincode package's entry: `params.bin` beside package.json is version 1 of the parameter set, so that the
 * package id which each organisation approves binds it. Fabric's own builder starts what the package holds; a service
 * is told the id of the package that it serves (CORE_CHAINCODE_ID) and starts only with the parameters of that.
 */
const params = readFileSync(new URL("../../params.bin", import.meta.url));
if (process.env.CORE_CHAINCODE_ID !== undefined) requireApproved(params, process.env.CORE_CHAINCODE_ID);

export const contracts = [packagedContract(params)];
