import { expect } from "chai";
import { fromHex, isVeilgridError, toHex } from "../../src/index.js";
import { DECODERS } from "../../vectors/decoders.js";
import { readVectors } from "../../vectors/files.js";
import { mustFail, type MustFailVector } from "../../vectors/must-fail/index.js";
import { structs, type Struct } from "../../vectors/structs.js";

function committed<T>(name: string): T[] {
  return readVectors(name) as T[];
}

/** The error that a decoder throws, or nothing where it accepts the bytes. */
function refusal(what: string, hex: string): unknown {
  const decode = DECODERS[what];
  if (decode === undefined) throw new Error(`no decoder ${what}`);
  try {
    decode(fromHex(hex));
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("vectors of structs", () => {
  it("are what their generators make", () => {
    expect(committed<Struct>("structs.json")).to.deep.equal(structs());
    expect(committed<MustFailVector>("must-fail.json")).to.deep.equal(mustFail());
  });

  it("have every decoder accept its own and encode it to the same bytes", () => {
    const vectors = committed<Struct>("structs.json");
    for (const { what, hex } of vectors)
      expect(toHex(DECODERS[what]?.(fromHex(hex)) ?? fromHex("")), what).to.equal(hex);
    expect(new Set(vectors.map(({ what }) => what))).to.deep.equal(new Set(Object.keys(DECODERS)));
  });

  it("have every decoder refuse what it must as malformed", () => {
    const vectors = committed<MustFailVector>("must-fail.json");
    for (const { what, why, hex } of vectors) {
      const error = refusal(what, hex);
      expect(isVeilgridError(error, "malformed"), `${what}: ${why}: ${String(error)}`).to.equal(true);
      expect(isVeilgridError(error) && error.blame, `${what}: ${why}`).to.equal("peer");
    }
    expect(new Set(vectors.map(({ what }) => what))).to.deep.equal(new Set(Object.keys(DECODERS)));
  });
});
