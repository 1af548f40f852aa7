import { readFileSync } from "node:fs";
import { packagedContract } from "./contract.js";

/**
 * The chaincode package's entry: `params.bin` beside package.json is version 1 of the parameter set, so that the
 * package id which each organisation approves binds it.
 */
export const contracts = [packagedContract(readFileSync(new URL("../../params.bin", import.meta.url)))];
