import "./quiet.js";
export { binariesIn, findBinaries, type Binaries } from "./binaries.js";
export { CHAINCODE_FOLDER, codeDigest, serviceName, servicePlan, type ServiceContent } from "./chaincode.js";
export { CC, CHAINCODE, CHANNEL, KGCBP, aggregators, type Aggregator, type Organisation } from "./consortium.js";
export { deploy } from "./deploy.js";
export {
  freeze,
  heights,
  kill,
  leadingOrderer,
  organisationProcesses,
  partProcess,
  start,
  stop,
  thaw,
  type Part,
} from "./faults.js";
export { StateFolder } from "./folder.js";
export { requireEndorsement, withGateway } from "./gateways.js";
export { ordererLeader, ordererView, type OrdererView } from "./metrics.js";
export { addAggregator, removeAggregator } from "./membership.js";
export { down, reset, up, type UpOptions } from "./network.js";
export { ordererHeight, ordererName } from "./orderers.js";
export { peerName } from "./peers.js";
export { lastLines } from "./log.js";
export { processStatus, signalProcess, type ProcessStatus } from "./process.js";
export { networkProcesses } from "./processes.js";
export { requireLinux } from "./platform.js";
export { profileOf, type Profile, type ProfileClient, type ProfileGateway } from "./profile.js";
export { committedDeployment, readRecord, type Deployment, type NetworkRecord } from "./record.js";
export type { Say } from "./say.js";
export { Site } from "./site.js";
export { networkStatus, type NetworkStatus, type ProcessReport } from "./status.js";
