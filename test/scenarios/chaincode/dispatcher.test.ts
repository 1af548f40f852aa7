import { expect } from "chai";
import { ContractLedger, installed } from "../../src/consortium/contract-ledger.js";
import { paramsOf } from "../../src/consortium/members.js";
import { codeOf, failureOf, refusalOf } from "../../src/consortium/refused.js";

interface Transaction {
  readonly name: string;
  readonly tag: readonly string[];
  readonly parameters: readonly { readonly name: string; readonly schema: { readonly type: string } }[];
  readonly returns: { readonly type: string };
}

interface Metadata {
  readonly contracts: Readonly<
    Record<
      string,
      {
        readonly transactions: readonly Transaction[];
        readonly info: { readonly title: string };
        readonly contractInstance: object;
      }
    >
  >;
}

describe("the contract behind Fabric's dispatcher", () => {
  let ledger: ContractLedger;

  before(async () => {
    ledger = await ContractLedger.open(paramsOf());
  });

  after(async () => {
    await ledger.close();
  });

  /** What the dispatcher found in the class: it refuses every function that is not in here. */
  function contracts(): Metadata["contracts"] {
    return (installed(paramsOf()) as unknown as { readonly metadata: Metadata }).metadata.contracts;
  }

  it("has exactly its transaction functions and queries, with their arguments", () => {
    expect(Object.keys(contracts()).sort()).to.deep.equal(["org.hyperledger.fabric", "veilgrid"]);
    const signatures = (contracts().veilgrid?.transactions ?? []).map(({ name, tag, parameters }) => {
      const args = parameters.map((parameter) => `${parameter.name}: ${parameter.schema.type}`);
      return `${tag.join(" ")} ${name}(${args.join(", ")})`;
    });
    expect(signatures.sort()).to.deep.equal([
      "EVALUATE bill(bid: string, month: string)",
      "EVALUATE block(region: string, number: string)",
      "EVALUATE consortium()",
      "EVALUATE head(region: string)",
      "EVALUATE mask(region: string, month: string, k: string)",
      "EVALUATE openFaults()",
      "EVALUATE price(region: string, month: string, k: string)",
      "EVALUATE readings(region: string, month: string, k: string)",
      "EVALUATE state(key: string)",
      "SUBMIT submitTx setup()",
      "SUBMIT submitTx submitBlock(digest: string)",
      "SUBMIT submitTx submitElection(digest: string)",
    ]);
  });

  it("has its own title", () => {
    const { veilgrid } = contracts();
    expect(veilgrid?.info.title).to.equal("Veilgrid");
  });

  it("shows nothing that it keeps", () => {
    expect(contracts().veilgrid?.contractInstance).to.deep.equal({ name: "veilgrid", default: true });
  });

  it("has no other function, own or inherited", async () => {
    for (const name of [
      "",
      "init",
      "constructor",
      "unknownTransaction",
      "createContext",
      "beforeTransaction",
      "other:setup",
    ]) {
      const error = await refusalOf(ledger, () => ledger.call("Da0", name));
      expect(codeOf(error), name).to.equal("contract-error");
    }
  });

  it("takes as many arguments as a function has", async () => {
    for (const [name, ...args] of [["head"], ["head", "1", "2"], ["state"], ["bill", "00"]] as [
      string,
      ...string[],
    ][]) {
      expect(codeOf(await failureOf(ledger.query("Da0", name, ...args))), name).to.equal("contract-error");
    }
    expect(codeOf(await refusalOf(ledger, () => ledger.call("Da0", "submitBlock")))).to.equal("contract-error");
  });
});
