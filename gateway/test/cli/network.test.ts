import { readFileSync, rmSync } from "node:fs";
import { consortiumId, paramsCodec, toHex } from "@veilgrid/protocol";
import { expect } from "chai";
import { failing, inFolder, json, typed } from "./command.js";

const ASKED = "--meters 12 --regions 1 --periods 2 --seed 3";

describe("veilgrid network", function () {
  this.timeout(60_000);
  let consortium: string;

  before(async () => {
    ({ consortium } = await json<{ consortium: string }>(`network params ${ASKED} --out begun-on-fabric`));
  });

  it("params begins a run on Fabric: keys, input, and the parameters that are deployed", async () => {
    const bytes = readFileSync(inFolder("begun-on-fabric/params.bin"));
    const { version, channel, da } = paramsCodec.decode(bytes);
    expect({ version, channel }).to.deep.equal({ version: 1, channel: "veilgrid" });
    expect(da.map(({ msp }) => msp)).to.deep.equal(["DA0MSP", "DA1MSP", "DA2MSP", "DA3MSP"]);
    expect(toHex(consortiumId(bytes))).to.equal(consortium);
    rmSync(inFolder("begun-on-fabric/params.bin"));
    const again = await typed("network params --out begun-on-fabric");
    expect(again).to.include(`consortium  ${consortium}\n`);
    expect(again).to.include("Next:  npm run fabric -- deploy --params begun-on-fabric/params.bin\n");
    expect(readFileSync(inFolder("begun-on-fabric/params.bin")).equals(bytes)).to.equal(true);
  });

  it("params is the beginning of the very run that the embedded ledger would have", async () => {
    const embedded = await json<{ consortium: string }>(`setup ${ASKED} --out set-up-embedded`);
    expect(embedded.consortium).to.equal(consortium);
    const { error } = await failing(`network params ${ASKED} --out set-up-embedded`);
    expect(error.code).to.equal("other-arguments");
  });

  it("params writes down a run that needs to know its network before it goes on", async () => {
    for (const line of ["epochs --out begun-on-fabric", "demo --out begun-on-fabric", "audit begun-on-fabric"]) {
      const { code, error } = await failing(line);
      expect({ code, error: error.code }, line).to.deep.equal({ code: 2, error: "no-profile" });
      expect(error.message).to.include("--profile FILE");
    }
    const { error } = await failing(`demo ${ASKED} --ledger embedded --out begun-on-fabric`);
    expect(error.code).to.equal("other-arguments");
    expect(error.message).to.include('--ledger is "fabric" there and "embedded" here');
  });

  it("package binds the parameters by its id", async () => {
    const line = "network package --params begun-on-fabric/params.bin";
    const one = await json<{ packageId: string; consortium: string }>(`${line} --out one.tgz`);
    const two = await json<{ packageId: string }>(`${line} --out two.tgz --label veilgrid_2`);
    expect(one.packageId).to.match(/^veilgrid_1:[0-9a-f]{64}$/);
    expect(one.consortium).to.equal(consortium);
    expect(two.packageId).to.match(/^veilgrid_2:[0-9a-f]{64}$/);
    expect(two.packageId.split(":")[1]).not.to.equal(one.packageId.split(":")[1]);
    await typed(`${line} --out again.tgz`);
    expect(readFileSync(inFolder("again.tgz")).equals(readFileSync(inFolder("one.tgz")))).to.equal(true);
  });
});
