import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { expect } from "chai";
import fc from "fast-check";
import {
  GROUP_ORDER,
  H2,
  VeilgridError,
  availableEngines,
  fromHex,
  nobleEngine,
  scalarBytes,
  schnorr,
  toHex,
  useEngine,
} from "@veilgrid/protocol";
import { bytes32, bytesOf } from "./arbitraries.js";
import { readVectors } from "./vectors.js";

interface Bip340 {
  readonly cases: readonly {
    readonly index: number;
    readonly secret?: string;
    readonly aux?: string;
    readonly publicKey: string;
    readonly message: string;
    readonly signature: string;
    readonly valid: boolean;
  }[];
}

const { cases } = readVectors("bip-340.json") as Bip340;
const fixedLength = cases.filter(({ message }) => message.length === 64);
const otherLength = cases.filter(({ message }) => message.length !== 64);

/** Any secret that a meter can have. */
const secret = bytes32.map((t) => H2(t));

function flip(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = bytes.slice();
  const at = bit % (8 * bytes.length);
  changed[at >> 3] = (changed[at >> 3] as number) ^ (1 << (at & 7));
  return changed;
}

for (const engine of availableEngines()) {
  describe(`BIP-340 engine ${engine.name}`, () => {
    it("judges the public vectors as BIP-340 does", () => {
      expect(fixedLength.length).to.equal(15);
      for (const { index, publicKey, message, signature, valid } of fixedLength) {
        const verdict = engine.verify(fromHex(signature), fromHex(message), fromHex(publicKey));
        expect(verdict, `vector ${index}`).to.equal(valid);
      }
    });

    it("derives the vectors' keys and signs the one with aux_rand zero", () => {
      for (const vector of cases) {
        if (vector.secret === undefined) continue;
        const key = fromHex(vector.secret);
        expect(toHex(engine.publicKey(key)), `key ${vector.index}`).to.equal(vector.publicKey);
        if (vector.message.length === 64 && /^0+$/.test(vector.aux ?? "")) {
          expect(toHex(engine.sign(fromHex(vector.message), key))).to.equal(vector.signature);
        }
      }
    });

    it("refuses messages that are no 32-byte hash, valid for BIP-340 or not", () => {
      expect(otherLength.length).to.equal(4);
      for (const { index, publicKey, message, signature } of otherLength) {
        const verdict = engine.verify(fromHex(signature), fromHex(message), fromHex(publicKey));
        expect(verdict, `vector ${index}`).to.equal(false);
        expect(() => engine.sign(fromHex(message), new Uint8Array(32).fill(1)))
          .to.throw(VeilgridError)
          .with.property("code", "bad-message");
      }
    });

    it("agrees with the reference on keys and signatures, to the byte", () => {
      fc.assert(
        fc.property(secret, bytes32, (key, message) => {
          const publicKey = nobleEngine.publicKey(key);
          const signature = nobleEngine.sign(message, key);
          expect(engine.publicKey(key)).to.deep.equal(publicKey);
          expect(engine.publicPoint(key)).to.deep.equal(nobleEngine.publicPoint(key));
          expect(engine.publicPoint(key).subarray(1)).to.deep.equal(publicKey);
          expect(engine.sign(message, key)).to.deep.equal(signature);
          expect(engine.verify(signature, message, publicKey)).to.equal(true);
        }),
        { numRuns: 25 },
      );
    });

    it("refuses whatever has one bit changed", () => {
      fc.assert(
        fc.property(secret, bytes32, fc.nat(511), (key, message, bit) => {
          const publicKey = engine.publicKey(key);
          const signature = engine.sign(message, key);
          expect(engine.verify(flip(signature, bit), message, publicKey)).to.equal(false);
          expect(engine.verify(signature, flip(message, bit), publicKey)).to.equal(false);
          expect(engine.verify(signature, message, flip(publicKey, bit))).to.equal(false);
        }),
        { numRuns: 25 },
      );
    });

    it("judges arbitrary bytes as the reference does, without an error", () => {
      const field = (length: number): fc.Arbitrary<Uint8Array> =>
        fc.oneof(bytesOf(length), fc.uint8Array({ maxLength: 70 }), fc.constant(new Uint8Array(length).fill(255)));
      fc.assert(
        fc.property(field(64), field(32), field(32), (signature, message, key) => {
          const verdict = engine.verify(signature, message, key);
          expect(verdict)
            .to.equal(nobleEngine.verify(signature, message, key))
            .and.to.equal(false);
        }),
      );
    });

    it("refuses secrets that are no scalar, and never shows them", () => {
      const secrets = [scalarBytes(0n), scalarBytes(GROUP_ORDER), new Uint8Array(32).fill(255), new Uint8Array(31)];
      for (const bad of secrets) {
        for (const use of [
          () => engine.publicKey(bad),
          () => engine.publicPoint(bad),
          () => engine.sign(new Uint8Array(32), bad),
        ]) {
          expect(use).to.throw(VeilgridError, /^a secret key is 32 bytes and a number in \[1, q-1\]$/);
          expect(use).to.throw(VeilgridError).with.property("code", "bad-secret");
        }
      }
      expect(toHex(engine.publicKey(scalarBytes(GROUP_ORDER - 1n)))).to.equal(
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
      );
    });
  });
}

/** What a process of its own answers, so that its choice of engine is not this one's. */
function enginesOf(environment: Record<string, string>): string {
  const script = `
    import { availableEngines, schnorr } from "@veilgrid/protocol";
    try { console.log(schnorr.name, availableEngines().map((engine) => engine.name).join("+")); }
    catch (error) { console.log(error.code, error.facts.available); }`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, VEILGRID_ENGINE: "auto", ...environment },
    cwd: new URL(".", import.meta.url),
  });
  return output.toString().trim();
}

describe("choice of the engine", () => {
  afterEach(() => {
    useEngine("auto");
  });

  it("takes the fastest that is there", () => {
    useEngine("auto");
    expect(schnorr.name).to.equal(availableEngines()[0]?.name);
  });

  it("can be set, and every choice signs alike", () => {
    const key = H2(new Uint8Array(32));
    const message = new Uint8Array(createHash("sha256").digest());
    const signatures = availableEngines().map(({ name }) => {
      useEngine(name);
      expect(schnorr.name).to.equal(name);
      const signature = schnorr.sign(message, key);
      expect(schnorr.verify(signature, message, schnorr.publicKey(key))).to.equal(true);
      return toHex(schnorr.publicPoint(key)) + toHex(signature);
    });
    expect(new Set(signatures).size).to.equal(1);
  });

  it("follows VEILGRID_ENGINE", () => {
    expect(enginesOf({ VEILGRID_ENGINE: "noble" })).to.match(/^noble /);
  });

  it("does without the system's library", () => {
    expect(enginesOf({ VEILGRID_LIBSECP256K1: "absent.so" })).to.equal("wasm wasm+noble");
    expect(enginesOf({ VEILGRID_LIBSECP256K1: "absent.so", VEILGRID_ENGINE: "native" })).to.equal(
      "unknown-engine wasm noble",
    );
  });
});
