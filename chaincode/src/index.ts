export { packagedContract, VeilgridContract } from "./contract.js";
export { Refused } from "./refused.js";
