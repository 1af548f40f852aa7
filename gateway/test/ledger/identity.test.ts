import { X509Certificate } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import { identityOf } from "../../src/ledger/identity.js";
import { chaincodeOf } from "../../src/ledger/fabric.js";
import { Notes } from "./contract.js";
import { Folders, openLedger, organisations } from "./world.js";
import { notes } from "./conformance.js";

describe("an organisation's identity on the embedded ledger", () => {
  const folders = new Folders();
  after(() => {
    folders.remove();
  });

  it("is a certificate that says so itself: P-256, signed by its own key, for ever", () => {
    const { certificate } = identityOf("KGCBPMSP");
    const x509 = new X509Certificate(certificate);
    expect(x509.subject).to.equal("OU=client\nCN=KGCBPMSP");
    expect(x509.issuer).to.equal(x509.subject);
    expect(x509.publicKey.asymmetricKeyType).to.equal("ec");
    expect(x509.publicKey.asymmetricKeyDetails).to.deep.equal({ namedCurve: "prime256v1" });
    expect(x509.verify(x509.publicKey)).to.equal(true);
    expect(new Date(x509.validTo).toISOString()).to.equal("9999-12-31T23:59:59.000Z");
  });

  it("is the same every time, and another's for another organisation", () => {
    expect(identityOf("DA1MSP")).to.deep.equal(identityOf("DA1MSP"));
    expect(identityOf("DA1MSP").certificate).not.to.equal(identityOf("DA2MSP").certificate);
  });

  it("is a certificate for any MSP id", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]{1,64}$/), (msp) => {
        const x509 = new X509Certificate(identityOf(msp).certificate);
        expect(x509.verify(x509.publicKey)).to.equal(true);
      }),
      { numRuns: 100 },
    );
  });

  it("reaches a contract as on Fabric: MSP id, client id and certificate", async () => {
    class Who extends Notes {
      override who(ctx: Parameters<Notes["who"]>[0]): Promise<string> {
        const { clientIdentity } = ctx;
        return Promise.resolve([clientIdentity.getMSPID(), clientIdentity.getID()].join(" "));
      }
      certificate(ctx: Parameters<Notes["who"]>[0]): Promise<string> {
        return Promise.resolve(Buffer.from(ctx.clientIdentity.getIDBytes()).toString());
      }
    }
    const ledger = await openLedger(folders.make(), { endorsers: [{ msp: "Org1", chaincode: chaincodeOf([Who]) }] });
    const client = ledger.as({ msp: "CCMSP" });
    const who = Buffer.from(await client.evaluate(notes("who"))).toString();
    expect(who).to.equal("CCMSP x509::/OU=client/CN=CCMSP::/OU=client/CN=CCMSP");
    const certificate = Buffer.from(await client.evaluate(notes("certificate"))).toString();
    expect(certificate).to.equal(identityOf("CCMSP").certificate);
    await ledger.close();
  });

  it("leaves the contract classes that it was given alone", () => {
    const classes = [Notes];
    chaincodeOf(classes);
    expect(classes).to.deep.equal([Notes]);
    expect(organisations(classes)).to.have.length(1);
  });
});
