import { status } from "@grpc/grpc-js";
import { expect } from "chai";
import { faultOf, type FaultKind } from "../../src/fabric/errors.js";
import { gatewayError } from "./fakes.js";

// Sentences of real peers and orderers (Fabric 3.1.1) and of grpc-js, as this adapter met them.
const SAID: readonly (readonly [FaultKind, status, string])[] = [
  ["access", status.ABORTED, "error validating proposal: access denied: channel [veilgrid] creator org [CCMSP]"],
  ["access", status.ABORTED, "access denied: channel [veilgrid] creator org unknown, creator is malformed"],
  ["access", status.ABORTED, "rpc error: code = Unknown desc = proposal client identity expired"],
  [
    "access",
    status.ABORTED,
    "Failed evaluating policy on signed data during check policy on channel [veilgrid] with policy [/Channel/Application/Writers]",
  ],
  ["too-large", status.UNAVAILABLE, "message payload is 9437184 bytes and exceeds maximum allowed 8388608 bytes"],
  ["ordered", status.UNAVAILABLE, "received unsuccessful response: SERVICE_UNAVAILABLE, request already processed"],
  ["mismatch", status.ABORTED, "ProposalResponsePayloads do not match (base64): 'CiA' vs 'CiB'"],
  ["refused", status.ABORTED, 'chaincode response 500, {"code":"too-late","message":"it is over","facts":{}}'],
  [
    "unavailable",
    status.ABORTED,
    "failed to invoke chaincode veilgrid, error: timeout expired while starting chaincode",
  ],
];

const TLS = [
  "No connection established. Last error: Error: unable to verify the first certificate. Resolution note: ",
  "No connection established. Last error: Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: a.",
  "No connection established. Last error: Error: 80:error:0A00010B:SSL routines:ssl3_get_record:wrong version number",
];

describe("what peers and orderers say", () => {
  for (const [kind, code, text] of SAID) {
    it(`is taken for ${kind}: ${text.slice(0, 60)}`, () => {
      const fault = faultOf("endorse", "DA0MSP", gatewayError(code, { DA1MSP: text }));
      expect(fault).to.include({ kind, phase: "endorse", gateway: "DA0MSP", said: `DA1MSP: ${text}` });
      expect(fault.refusal?.facts.contract).to.equal(kind === "refused" ? "too-late" : undefined);
    });
  }

  for (const text of TLS) {
    it(`is taken for tls: ${text.slice(0, 100)}`, () => {
      expect(faultOf("events", "DA0MSP", gatewayError(status.UNAVAILABLE, {}, text)).kind).to.equal("tls");
    });
  }

  it("is heard of each peer, and cut to a length that a log can take", () => {
    const fault = faultOf("submit", "DA0MSP", gatewayError(status.ABORTED, { A: "one", B: "two" }));
    expect(fault.said).to.equal("A: one; B: two");
    expect(faultOf("submit", "DA0MSP", new Error("x".repeat(5000))).said).to.have.length(1001);
  });
});
