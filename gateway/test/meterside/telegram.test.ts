import { isVeilgridError } from "@veilgrid/protocol";
import { expect } from "chai";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { registersOf } from "../../src/meterside/telegram.js";
import { TelegramStream } from "../../src/meterside/telegram-stream.js";
import { PUBLISHED, PUBLISHED_BEFORE, sealed, telegramOf } from "./telegrams.js";

const STANDARD = readFileSync(
  join(dirname(createRequire(import.meta.url).resolve("dsmr-parser")), "example-telegram.txt"),
  "latin1",
);

function codeOf(telegram: string): string {
  try {
    registersOf(telegram);
    return "taken";
  } catch (error) {
    if (isVeilgridError(error)) return error.code;
    throw error;
  }
}

const GOOD = [
  "0-0:96.1.1(4530)",
  "1-0:1.8.1(000001.001*kWh)",
  "1-0:1.8.2(000002.000*kWh)",
  "1-0:2.8.1(000003.000*kWh)",
  "1-0:2.8.2(000004.000*kWh)",
];

describe("a P1 telegram", () => {
  it("that was published by a meter's owner gives whole Wh of both tariffs", () => {
    const device = "4530303437303030303037363330383137";
    expect(registersOf(PUBLISHED)).to.deep.equal({ imported: 51_775n, exported: 24_413n, device });
    expect(registersOf(PUBLISHED_BEFORE)).to.deep.equal({ imported: 41_979n, exported: 17_760n, device });
  });

  it("that the standard shows gives its registers", () => {
    const { imported, exported } = registersOf(STANDARD.slice(0, STANDARD.indexOf("!") + 7));
    expect({ imported, exported }).to.deep.equal({ imported: 246_913_578n, exported: 246_913_578n });
  });

  const REFUSED: readonly (readonly [what: string, telegram: string, code: string])[] = [
    ["with one figure changed", PUBLISHED.replace("51.775", "51.776"), "bad-checksum"],
    ["with two digits of the checksum exchanged", PUBLISHED.replace("!8F46", "!8F64"), "bad-checksum"],
    ["with a line lost", PUBLISHED.replace("1-0:1.8.2(000000.000*kWh)\r\n", ""), "bad-checksum"],
    ["with LF alone", PUBLISHED.replaceAll("\r\n", "\n"), "bad-telegram"],
    ["of DSMR 2, without a checksum", PUBLISHED.replace("!8F46", "!"), "bad-telegram"],
    ["cut off", PUBLISHED.slice(0, 200), "bad-telegram"],
    ["of nothing", "", "bad-telegram"],
    ["without a register", sealed(GOOD.slice(0, -1)), "no-register"],
    ["with a register twice", sealed([...GOOD, "1-0:1.8.1(000009.000*kWh)"]), "no-register"],
    ["with a register in Wh", sealed([...GOOD.slice(0, -1), "1-0:2.8.2(004000*Wh)"]), "no-register"],
    ["with a fraction of a Wh", sealed([...GOOD.slice(0, -1), "1-0:2.8.2(000004.0001*kWh)"]), "no-register"],
    ["with a negative register", sealed([...GOOD.slice(0, -1), "1-0:2.8.2(-00004.000*kWh)"]), "no-register"],
    ["with two values in a register", sealed([...GOOD.slice(0, -1), "1-0:2.8.2(1.0*kWh)(2.0*kWh)"]), "no-register"],
    ["with an impossible time", sealed(["0-0:24.2.1(99W)(1)", ...GOOD]), "bad-telegram"],
  ];
  for (const [what, telegram, code] of REFUSED) {
    it(`${what} is refused: ${code}`, () => {
      expect(codeOf(telegram)).to.equal(code);
    });
  }

  it("of those refused ones is otherwise a good one", () => {
    expect(registersOf(sealed(GOOD))).to.deep.equal({ imported: 3001n, exported: 7000n, device: "4530" });
  });

  it("is not taken with any one byte of it changed", () => {
    for (let at = 0; at < PUBLISHED.length; at += 1) {
      const changed = String.fromCharCode(PUBLISHED.charCodeAt(at) ^ 1);
      expect(codeOf(PUBLISHED.slice(0, at) + changed + PUBLISHED.slice(at + 1)), `byte ${at}`).to.not.equal("taken");
    }
  });
});

describe("telegrams out of a stream", () => {
  it("are the same however the bytes come", () => {
    const all = [PUBLISHED_BEFORE, PUBLISHED, telegramOf(52_000n)];
    const bytes = Buffer.from(`51.775*kWh)\r\n!0000\r\n${all.join("")}/Ene5`, "latin1");
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }), (sizes) => {
        const stream = new TelegramStream();
        const found: string[] = [];
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          found.push(...stream.push(bytes.subarray(at, at + size)));
          at += size;
        }
        expect(found).to.deep.equal(all);
      }),
    );
  });

  it("that one was cut off in are not lost with it", () => {
    const stream = new TelegramStream();
    const found = stream.push(Buffer.from(`${PUBLISHED.slice(0, 300)}\r\n${PUBLISHED_BEFORE}`, "latin1"));
    expect(found).to.deep.equal([PUBLISHED_BEFORE]);
  });

  it("do not fill the memory when no end comes", () => {
    const stream = new TelegramStream();
    const found = Array.from({ length: 100 }, () => stream.push(Buffer.from(`/${"x".repeat(1000)}`))).flat();
    expect(found.map((text) => text.length)).to.deep.equal([16_384, 16_384, 16_384, 16_384, 16_384]);
    expect(codeOf(found[0] as string)).to.equal("bad-telegram");
    expect(stream.push(Buffer.from(`\r\n${PUBLISHED}`)).at(-1)).to.equal(PUBLISHED);
  });
});
