import { Client } from "@grpc/grpc-js";
import { FabricLedger } from "../../src/fabric/ledger.js";
import { readProfile } from "../../src/fabric/profile.js";

// A process that submits one transaction and dies on the way: before it hands it to the orderers, or as soon as they have
// it. Arguments: profile, folder, the key to count up, "before" or "after".

const [profile, path, key, when] = process.argv.slice(2) as [string, string, string, string];

type Unary = Client["makeUnaryRequest"];
const real = Object.getOwnPropertyDescriptor(Client.prototype, "makeUnaryRequest")?.value as (
  ...args: unknown[]
) => unknown;

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

function dying(this: Client, ...args: unknown[]): unknown {
  if (args[0] === "/gateway.Gateway/Submit") {
    if (when === "before") die();
    args[args.length - 1] = die;
  }
  return real.apply(this, args);
}

Client.prototype.makeUnaryRequest = dying as Unary;

const ledger = await FabricLedger.open({ profile: await readProfile(profile), path });
await ledger.as({ msp: "CCMSP" }).submit({ name: "Notes:increment", args: [key] });
