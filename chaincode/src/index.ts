export { ccaasPackage, namingVersion, packageId, requireApproved, requireNamed } from "./ccaas.js";
export { packagedContract, VeilgridContract } from "./contract.js";
export { Refused } from "./refused.js";
