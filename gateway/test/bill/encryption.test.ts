import { H1, fromHex, isVeilgridError, sha256, toHex, utf8 } from "@veilgrid/protocol";
import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { expect } from "chai";
import { decryptBill, encryptBill, newCustomerKey, type SeededBytes } from "../../src/bill/encryption.js";

const PLAIN = 130_856;
const BILL = 131_072;

/** Draws from a hash of a name and the draw's number. */
const seeded =
  (name: string): SeededBytes =>
  (count, draw) =>
    H1("veilgrid/1/test/draw", utf8(name), Uint8Array.of(draw)).subarray(0, count);

function padded(text: string): Uint8Array {
  const bytes = new Uint8Array(PLAIN).fill(0x20);
  bytes.set(utf8(text));
  return bytes;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "resolved";
  } catch (error) {
    return isVeilgridError(error) ? error.code : String(error);
  }
}

describe("bill encryption", () => {
  it("makes 131,072 bytes of 130,856 and gives them back to the customer", async () => {
    const { identity, recipient } = await newCustomerKey();
    const ciphertext = await encryptBill(padded("{}"), recipient, BILL);
    expect(ciphertext).to.have.lengthOf(BILL);
    expect(sha256(await decryptBill(ciphertext, identity))).to.deep.equal(sha256(padded("{}")));
  });

  it("makes an age file of one X25519 stanza and no grease", async () => {
    const { recipient } = await newCustomerKey();
    const ciphertext = await encryptBill(padded("{}"), recipient, BILL);
    const head = new TextDecoder("latin1").decode(ciphertext.subarray(0, 200)).split("\n");
    expect(head[0]).to.equal("age-encryption.org/v1");
    expect(head[1]).to.match(/^-> X25519 [A-Za-z0-9+/]{43}$/);
    expect(head[2]).to.have.lengthOf(43);
    expect(head[3]).to.match(/^--- [A-Za-z0-9+/]{43}$/);
  });

  it("repeats keys and ciphertext to the byte under a seed, and differs under another", async () => {
    const one = await newCustomerKey(seeded("key"));
    expect(await newCustomerKey(seeded("key"))).to.deep.equal(one);
    expect(one.identity).to.match(/^AGE-SECRET-KEY-1[A-Z0-9]{58}$/);
    const bills = await Promise.all(
      ["bill", "bill", "other"].map((name) => encryptBill(padded("{}"), one.recipient, BILL, seeded(name))),
    );
    const [first, again, other] = bills.map((bill) => toHex(sha256(bill)));
    expect(again).to.equal(first);
    expect(other).to.not.equal(first);
    expect(toHex(sha256(await decryptBill(bills[0] as Uint8Array, one.identity)))).to.equal(
      toHex(sha256(padded("{}"))),
    );
  });

  it("leaves everyone else's randomness alone while it draws from a seed", async () => {
    const { recipient } = await newCustomerKey(seeded("key"));
    const drawn: string[] = [];
    let busy = true;
    const outside = async (): Promise<void> => {
      while (busy) {
        drawn.push(toHex(crypto.getRandomValues(new Uint8Array(16))));
        await new Promise(setImmediate);
      }
    };
    const watching = outside();
    await encryptBill(padded("{}"), recipient, BILL, seeded("bill"));
    busy = false;
    await watching;
    expect(drawn.length).to.be.greaterThan(1);
    expect(new Set(drawn).size).to.equal(drawn.length);
    const seedDraws = [0, 1, 2].map((draw) => toHex(seeded("bill")(16, draw)));
    expect(drawn.filter((value) => seedDraws.includes(value))).to.deep.equal([]);
    expect(Object.hasOwn(crypto, "getRandomValues")).to.equal(false);
  });

  it("refuses a plaintext of another length, and another kind of recipient", async () => {
    const { recipient } = await newCustomerKey();
    expect(await codeOf(encryptBill(new Uint8Array(PLAIN - 1), recipient, BILL))).to.equal("wrong-bill-length");
    expect(await codeOf(encryptBill(padded("{}"), "age1nonsense", BILL))).to.equal("bad-recipient");
    const hybrid = await identityToRecipient(await generateHybridIdentity());
    expect(await codeOf(encryptBill(padded("{}"), hybrid, BILL))).to.equal("bad-recipient");
  });

  it("does not open another's bill, nor a changed one", async () => {
    const { identity, recipient } = await newCustomerKey();
    const ciphertext = await encryptBill(padded("{}"), recipient, BILL);
    expect(await codeOf(decryptBill(ciphertext, (await newCustomerKey()).identity))).to.equal("cannot-decrypt");
    ciphertext[BILL - 1] = (ciphertext[BILL - 1] as number) ^ 1;
    expect(await codeOf(decryptBill(ciphertext, identity))).to.equal("cannot-decrypt");
    expect(await codeOf(decryptBill(ciphertext, "no identity"))).to.equal("cannot-decrypt");
  });

  it("opens what the age tool wrote", async () => {
    // `echo hello | age -r RECIPIENT`, age 1.1.1.
    const identity = "AGE-SECRET-KEY-1JEFTZGP4CJLJY3ZQEQNQ9VZME4HDPZ3WKNH0W0T79FNG2WZNLRCQK6P9YW";
    const file = fromHex(
      "6167652d656e6372797074696f6e2e6f72672f76310a2d3e20583235353139205045557346543662376d696e2b7339454962454a" +
        "784e77334f78437642354f743167445a784263317779510a634272392b3751676371306a3231342b41382b725a45685a68624778" +
        "58652f612f33636d785035636b74630a2d2d2d20526570664941326b62613065476b30314d54624443793365706a736a44645166" +
        "552b465134426848654f6b0a344c144141ad100fcbf5fac00be15eefeb22ef6e65b844f603c6d58572ad4d7faebe742534e1",
    );
    expect(new TextDecoder().decode(await decryptBill(file, identity))).to.equal("hello\n");
  });
});
