import { expect } from "chai";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { dirname, join, normalize } from "node:path/posix";
import { Clone } from "../src/documents/clone.js";
import { fencesOf } from "../src/documents/fences.js";
import { filesEndingIn, readText, REPOSITORY } from "../src/documents/repository.js";
import { firstMismatch, stepsOf, type Step } from "../src/documents/transcript.js";

/** The documents whose commands are run. */
const GUIDES = ["README.md", "CONTRIBUTING.md", ...filesEndingIn(".md", "docs")];
/** All that a reader of the repository reads. */
const DOCUMENTS = filesEndingIn(".md");

/** Scripts of package.json that first build; the tests run on what is built. */
const BUILT: Readonly<Record<string, string>> = { "npm run demo": "npx veilgrid demo" };

/** Prints the names of all commands that do something. */
const LEAVES = `
  import { program } from "./gateway/dist/src/cli/program.js";
  const names = (command, before) =>
    command.commands.flatMap((one) => {
      const name = [...before, one.name()].join(" ");
      const acts = one._actionHandler !== null;
      return [...(acts ? [name] : []), ...names(one, [...before, one.name()])];
    });
  console.log(JSON.stringify(names(program(), [])));`;

interface Package {
  readonly scripts: Readonly<Record<string, string>>;
}

describe("the documents' commands", () => {
  for (const guide of GUIDES) {
    const fences = fencesOf(readText(guide)).filter(({ notRun }) => notRun === undefined);
    const blocks = fences.filter((fence) => fence.file !== undefined || stepsOf(fence).length > 0);
    if (blocks.length === 0) continue;
    describe(guide, () => {
      let clone: Clone;
      before(() => {
        clone = new Clone();
      });
      for (const block of blocks) {
        it(`line ${block.line}: ${block.file ?? (stepsOf(block)[0] as Step).command}`, async () => {
          if (block.file !== undefined) clone.write(block.file, block.lines);
          for (const step of stepsOf(block)) await check(clone, step);
        }).timeout(120_000);
      }
    });
  }

  it("are run by npx in a clone as by the tests", async () => {
    const run = promisify(execFile);
    const { stdout } = await run("npx", ["veilgrid", "--version"], { cwd: REPOSITORY });
    const { version } = JSON.parse(readText("gateway/package.json")) as { version: string };
    expect(stdout.trim()).to.equal(version);
  });

  it("are all in the README's table, and no other", async () => {
    const run = promisify(execFile);
    const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", LEAVES], { cwd: REPOSITORY });
    const listed = [...readText("README.md").matchAll(/^\| `([a-z]+(?: [a-z]+){0,2})` +\| [^|]+\|$/gm)].map(
      ([, name]) => name,
    );
    const commands = JSON.parse(stdout) as string[];
    const table = listed.slice(listed.indexOf(commands[0]), listed.indexOf(commands[0]) + commands.length);
    expect(table.sort()).to.deep.equal(commands.sort());
  });

  it("stand for scripts that build and then do the same", () => {
    const { scripts } = JSON.parse(readText("package.json")) as Package;
    expect(scripts.demo).to.equal("npm run --silent build && node gateway/bin/veilgrid.js demo");
  });

  it("name reasons for what is not run", () => {
    const reasons = GUIDES.flatMap((guide) => fencesOf(readText(guide))).flatMap(({ notRun }) => notRun ?? []);
    const known = [
      "installs and builds",
      "the tests run it already",
      "takes minutes",
      "needs Fabric's binaries",
      "needs Docker",
    ];
    expect(reasons.filter((reason) => !known.includes(reason))).to.deep.equal([]);
  });
});

async function check(clone: Clone, { command, exit, output }: Step): Promise<void> {
  const ended = await clone.run(BUILT[command] ?? command);
  expect(ended.exit, `${command}\n${ended.printed}`).to.equal(exit);
  if (output === undefined) return;
  const mismatch = firstMismatch(output, ended.printed);
  expect(mismatch, `${command} prints:\n${ended.printed}\nbut the document shows`).to.equal(undefined);
}

describe("the documents' links and names", () => {
  for (const document of DOCUMENTS) {
    it(`of ${document} lead somewhere`, () => {
      expect(brokenLinks(document)).to.deep.equal([]);
    });
  }

  it("are source files that exist", () => {
    const sources = filesEndingIn(".ts").concat(filesEndingIn(".json"));
    const missing = ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", ...filesEndingIn(".md", "docs")]
      .flatMap((document) => [...readText(document).matchAll(/`([\w./-]+\.(?:ts|schema\.json))`/g)])
      .map(([, name]) => name as string)
      .filter((name) => !sources.some((source) => source === name || source.endsWith(`/${name}`)));
    expect(missing).to.deep.equal([]);
  });
});

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .replace(/^#+ /, "")
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(" ", "-");
}

function anchorsOf(document: string): string[] {
  return readText(document)
    .split("\n")
    .filter((line) => /^#{1,6} /.test(line))
    .map(anchorOf);
}

function brokenLinks(document: string): string[] {
  const links = [...readText(document).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)/g)];
  return links.flatMap(([link, path, anchor]) => {
    const target = path === "" ? document : normalize(join(dirname(document), path as string));
    const missing = !EXISTING.some((file) => file === target || file.startsWith(`${target.replace(/\/$/, "")}/`));
    if (missing) return [link];
    return anchor === undefined || anchorsOf(target).includes(anchor) ? [] : [link];
  });
}

const EXISTING = filesEndingIn("");
