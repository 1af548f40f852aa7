import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Command } from "commander";
import { program } from "../../src/cli/program.js";
import { typed, veilgrid } from "./command.js";

const GOLDEN = fileURLToPath(new URL("../../../test/cli/help/", import.meta.url));
const WIDEST = 120;

/** A command with all its parts, by their full names. */
function* commands(command: Command, name = command.name()): Generator<readonly [name: string, command: Command]> {
  yield [name, command];
  for (const part of command.commands) yield* commands(part, `${name} ${part.name()}`);
}

/** What `--help` prints. */
function helpOf(command: Command): string {
  let text = "";
  command
    .configureOutput({
      writeOut: (part) => {
        text += part;
      },
      getOutHelpWidth: () => 80,
      getOutHasColors: () => false,
    })
    .outputHelp();
  return text;
}

function fileOf(name: string): string {
  return `${name.replaceAll(" ", "-")}.txt`;
}

const ALL = [...commands(program())].map(([name, command]) => ({ name, help: helpOf(command), command }));

describe("veilgrid --help", () => {
  if (process.env.UPDATE_GOLDEN === "1") {
    mkdirSync(GOLDEN, { recursive: true });
    for (const { name, help } of ALL) writeFileSync(join(GOLDEN, fileOf(name)), help);
  }

  for (const { name, help } of ALL) {
    it(`says of "${name}" what is written down (UPDATE_GOLDEN=1 writes it anew)`, () => {
      expect(help).to.equal(readFileSync(join(GOLDEN, fileOf(name)), "utf8"));
      expect(help.split("\n").filter((line) => line.length > WIDEST)).to.deep.equal([]);
    });
  }

  it("is written down of every command, and of nothing else", () => {
    expect(readdirSync(GOLDEN).sort()).to.deep.equal(ALL.map(({ name }) => fileOf(name)).sort());
  });

  it("shows an example of every command that does something", () => {
    for (const { name, help, command } of ALL) {
      if (command.commands.length > 0 && name !== "veilgrid price") continue;
      const [, examples = ""] = help.split("\nExamples:\n");
      expect(examples.split("\n")[0], name).to.match(new RegExp(`^  ${name}( |$)`));
    }
  });

  it("offers every command an engine", () => {
    for (const { name, help } of ALL) expect(help, name).to.include("--engine <name>");
  });

  it("is what the command prints", async () => {
    const [root, verify] = ["veilgrid", "veilgrid bill verify"].map(
      (name) => ALL.find((one) => one.name === name)?.help,
    );
    const [printedRoot, printedVerify] = await Promise.all([typed("--help"), typed("bill verify --help")]);
    expect(printedRoot).to.equal(root);
    expect(printedVerify).to.equal(verify);
  });

  it("follows a command without its part, with the exit code of a refusal", async () => {
    const [nothing, bill, version] = await Promise.all([veilgrid([]), veilgrid(["bill"]), veilgrid(["--version"])]);
    expect(nothing).to.include({ code: 2, stdout: "" });
    expect(nothing.stderr).to.equal(ALL[0]?.help);
    expect(bill).to.include({ code: 2, stdout: "" });
    expect(version).to.deep.equal({ code: 0, stdout: "0.1.0\n", stderr: "" });
  });
});
