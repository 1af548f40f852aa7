import { paramsCodec } from "@veilgrid/protocol";
import { readFile } from "node:fs/promises";
import { ControlCenter } from "../cc/cc.js";
import { parsePolicy } from "../input/prices.js";
import type { CcConfiguration } from "./configuration.js";
import { paramsRequests } from "./params-requests.js";
import type { Party } from "./service.js";

/** The control center as a party. @throws VeilgridError `bad-policy` and what reading a file of prices throws. */
export async function ccParty({ policy, timeZone, params }: CcConfiguration): Promise<Party> {
  const { periodSeconds } = paramsCodec.decode(new Uint8Array(await readFile(params)));
  const parsed = await parsePolicy(policy, { periodSeconds: periodSeconds === 900 ? 900 : 1800, timezone: timeZone });
  return {
    name: "cc",
    make: ({ secrets, clock, transport, view, consortium, memory, log }) => {
      const [secret, ...otherSecrets] = secrets;
      const role = new ControlCenter({ secret, otherSecrets, policy: parsed }, { clock, transport, view, memory, log });
      return Promise.resolve({ role, facts: () => ({}), requests: paramsRequests({ secrets, view, consortium }) });
    },
  };
}
