import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect } from "chai";
import { exitCodeOf, problemOf } from "../../src/cli/failure.js";
import { program } from "../../src/cli/program.js";
import { FOLDER, inFolder, veilgrid } from "./command.js";
import { prepared, writeInputs } from "./prepared.js";

/** Calls that cannot be meant, and the code of the refusal. */
const REFUSED: readonly (readonly [line: string, code: string])[] = [
  ["nothing", "bad-usage"],
  ["bill nothing", "bad-usage"],
  ["demo extra", "bad-usage"],
  ["demo --das 0", "bad-usage"],
  ["demo --das 101", "bad-usage"],
  ["demo --days 1.5", "bad-usage"],
  ["demo --release later", "bad-usage"],
  ["demo --engine fast", "bad-usage"],
  ["demo --meters 12 --regions 13", "bad-option"],
  ["demo --meters 2000 --regions 1", "bad-option"],
  ["demo --start 2013-04-08", "bad-option"],
  ["demo --from 2013-02-30", "bad-option"],
  ["demo --price dear", "bad-policy"],
  ["demo --price csv:prices.csv", "price-missing"],
  ["demo --price csv:nowhere.csv", "unreadable-file"],
  ["demo --tariff prices.csv", "bad-tariff"],
  ["demo --fault down:4@0", "fault-da"],
  ["demo --fault kill-leader@48", "fault-period"],
  ["demo --timezone Moon/Crater", "unknown-timezone"],
  ["demo --readings nowhere.csv", "unreadable-file"],
  ["demo --readings prices.csv", "unknown-header"],
  ["demo --out prices.csv", "unusable-folder"],
  ["demo --out prices.csv/under", "unusable-folder"],
  ["epochs --out prices.csv", "unreadable-file"],
  ["readings send --periods 0", "bad-usage"],
  ["readings check", "bad-usage"],
  ["readings check nowhere.csv", "unreadable-file"],
  ["price import prices.csv", "bad-usage"],
  ["price import --from lcl prices.csv", "unknown-header"],
  ["price import --from lcl prices.csv --json", "bad-option"],
  ["bill show --out run", "bad-option"],
  ["bill show H13 --out run", "unknown-meter"],
  ["bill show H01 --month 2013-05 --out run", "bad-month"],
  ["bill show H01 --month 2013-13 --out run", "bad-usage"],
  ["bill show H01 --bid 00 --out run", "bad-usage"],
  ["bill show H01 --ipfs run/ipfs --out run", "bad-option"],
  ["bill show H01 --ledger run.vgl", "bad-option"],
  ["bill verify --ledger run.vgl --out run", "bad-option"],
  ["bill verify --ledger run.vgl --profile nowhere.json", "bad-option"],
  ["bill verify --all --ledger fabric --profile nowhere.json", "bad-option"],
  ["bill verify H01 --ledger fabric --profile nowhere.json", "bad-option"],
  ["bill verify H01 --ledger fabric", "bad-option"],
  ["bill verify H01 --ledger fabric --out run", "other-arguments"],
  ["bill verify H01 --profile nowhere.json --out run", "bad-option"],
  ["bill list --ledger fabric --out run", "other-arguments"],
  ["bill list --ledger run.vgl --out run", "bad-usage"],
  ["bill verify --ledger run.vgl --month 2013-04", "bad-option"],
  ["bill verify H01 --all --out run", "bad-option"],
  ["bill explain H01 --out run", "bad-usage"],
  ["bill explain H01 --period 372 --out run", "not-in-supply"],
  ["bill explain H01 --period soon --out run", "bad-option"],
  ["bill explain H01 --period 2013-05-01T00:00Z --out run", "bad-option"],
  ["block show 1 --out run", "bad-usage"],
  ["block show one 1 --out run", "bad-usage"],
  ["block show 1 99 --out run", "no-block"],
  ["block show 1 1 --ledger nowhere.vgl", "ledger-file-unreadable"],
  ["ledger export run.vgl --out run", "file-exists"],
  ["ledger export nowhere/run.vgl --out run", "unusable-path"],
  ["ledger export new.vgl --ledger fabric --profile nowhere.json", "no-profile"],
  ["ledger export new.vgl --ledger fabric --profile prices.csv", "bad-profile"],
  ["audit nowhere", "no-run"],
  ["audit run.vgl --ledger fabric --profile nowhere.json", "bad-option"],
  ["audit run --ledger fabric", "other-arguments"],
  ["epochs --ledger fabric --out run", "other-arguments"],
  ["epochs --profile nowhere.json --out run", "bad-option"],
  ["network package --params nowhere.bin --out new.tgz", "file-missing"],
  ["network package --params prices.csv --out new.tgz", "wrong-params"],
  ["audit prices.csv", "ledger-file-foreign"],
  ["audit cut.vgl", "ledger-file-truncated"],
  ["audit garbled.vgl", "ledger-file-garbled"],
];

/** What becomes of a call, by the parts that the command is made of: a process each would take a minute. */
async function refusalOf(line: string): Promise<string> {
  try {
    await program({ json: true }).parseAsync(line.split(" "), { from: "user" });
    return `${line}: not refused`;
  } catch (error) {
    const problem = problemOf(error);
    return `${line}: ${problem.code}, exit code ${exitCodeOf(problem)}`;
  }
}

describe("nonsense", function () {
  this.timeout(60_000);
  const home = process.cwd();

  before(async () => {
    await prepared();
    writeInputs();
    const ledger = readFileSync(inFolder("run.vgl"));
    const middle = Math.floor(ledger.length / 2);
    writeFileSync(inFolder("cut.vgl"), ledger.subarray(0, middle));
    ledger[middle] = (ledger[middle] as number) ^ 1;
    writeFileSync(inFolder("garbled.vgl"), ledger);
    process.chdir(FOLDER);
  });

  after(() => {
    process.chdir(home);
  });

  it("is refused with a stable code and exit code 2, and leaves nothing behind", async () => {
    const before = readdirSync(FOLDER);
    for (const [line, code] of REFUSED) expect(await refusalOf(line)).to.equal(`${line}: ${code}, exit code 2`);
    expect(readdirSync(FOLDER)).to.deep.equal(before);
  });

  it("is told in colour to a terminal or who asks for it, and to nobody else", async () => {
    const ran = await Promise.all([
      veilgrid(["engine"], { VEILGRID_ENGINE: "steam", CI: "true" }),
      veilgrid(["engine"], { VEILGRID_ENGINE: "steam", FORCE_COLOR: "1" }),
    ]);
    expect(ran.map(({ stderr }) => stderr.split(" unknown-engine")[0])).to.deep.equal([
      "error",
      "\u001b[31merror\u001b[39m",
    ]);
  });

  it("is told in a line to a person, and as JSON to a program", async () => {
    const [parsed, refused, unknown, asJson] = await Promise.all([
      veilgrid(["demo", "--das", "0"]),
      veilgrid(["bill", "show", "H13", "--out", "run"]),
      veilgrid(["engine"], { VEILGRID_ENGINE: "steam" }),
      veilgrid(["nothing", "--json"]),
    ]);
    expect(parsed.stderr).to.equal(
      "error bad-usage: option '--das <w>' argument '0' is invalid. It must be a whole number, from 1 to 100.\n" +
        "(--help shows what it takes)\n",
    );
    expect(refused.stderr).to.equal("error unknown-meter: the run has no meter H13; its 12 are H01 to H12\n");
    expect(unknown).to.deep.equal({
      code: 2,
      stdout: "",
      stderr: 'error unknown-engine: there is no Schnorr engine "steam" on this machine\n',
    });
    expect(asJson).to.include({ code: 2, stdout: "" });
    expect(JSON.parse(asJson.stderr)).to.deep.equal({
      error: { code: "bad-usage", message: "unknown command 'nothing'", facts: {}, blame: "caller", retry: false },
    });
  });
});
