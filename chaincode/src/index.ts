export { ccaasPackage, packageId, requireApproved } from "./ccaas.js";
export { packagedContract, VeilgridContract } from "./contract.js";
export { Refused } from "./refused.js";
