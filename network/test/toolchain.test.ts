import { expect } from "chai";
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findGo } from "../src/toolchain.js";
import { failure } from "./failure.js";
import { temporaryFolder } from "./temporary.js";

const quiet = (): void => undefined;

describe("Go", () => {
  const root = temporaryFolder();
  const environment = { ...process.env };
  const module = join(root, "module");

  before(() => {
    mkdirSync(module);
    writeFileSync(join(module, "go.mod"), "module example\n\ngo 1.26.4\n");
  });
  afterEach(() => {
    process.env = { ...environment };
  });

  /** Puts a command `go` on PATH that does as a script says. */
  function install(script: string): void {
    const folder = join(root, "bin");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "go"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "go"), 0o755);
    process.env.PATH = `${folder}:/usr/bin:/bin`;
  }

  it("of the machine is taken if it can compile the module", async () => {
    install("pwd > $0.pwd; echo go version go1.26.8 linux/amd64");
    expect(await findGo(module, quiet)).to.deep.equal({ command: "go", env: {} });
    // In the module's folder: from 1.21 on that makes Go fetch the release that the module asks for.
    expect(readFileSync(join(root, "bin", "go.pwd"), "utf8")).to.equal(`${module}\n`);
  });

  it("that is old fetches the release that go.mod asks for, as a module whose files cannot be executed yet", async () => {
    const release = join(root, "release");
    for (const folder of ["bin", join("pkg", "tool", "linux_amd64")]) {
      mkdirSync(join(release, folder), { recursive: true });
      writeFileSync(join(release, folder, "go"), "", { mode: 0o444 });
    }
    install(
      `if [ "$1" = version ]; then echo go version go1.19.8 linux/amd64; else echo "$@" > $0.args; echo '{"Dir": "${release}"}'; fi`,
    );
    const said: string[] = [];
    const go = await findGo(module, (text) => said.push(text));
    expect(go).to.deep.equal({ command: join(release, "bin", "go"), env: { GOROOT: release } });
    expect(said).to.deep.equal(["fetching Go 1.26.4 as a module"]);
    const args = readFileSync(join(root, "bin", "go.args"), "utf8");
    expect(args).to.match(/^mod download -json golang\.org\/toolchain@v0\.0\.1-go1\.26\.4\.linux-(?:amd64|arm64)\n$/);
    for (const folder of ["bin", join("pkg", "tool", "linux_amd64")]) {
      expect(statSync(join(release, folder, "go")).mode & 0o777).to.equal(0o555);
    }
  });

  it("that can neither compile nor fetch is refused in its own words", async () => {
    install("echo 'go: go.mod requires go >= 1.26.4 (running go 1.22.1; GOTOOLCHAIN=local)' >&2; exit 1");
    const local = await failure(() => findGo(module, quiet));
    expect(local.code).to.equal("fabric-binaries-missing");
    expect(local.message).to.match(/Go says "go: go\.mod requires go >= 1\.26\.4 .*"; or name a folder/);
    install("if [ \"$1\" = version ]; then echo go version go1.19.8; else echo 'no route to host' >&2; exit 1; fi");
    const offline = await failure(() => findGo(module, quiet));
    expect(offline.message).to.match(/Go 1\.26\.4 is needed, and fetching it failed:\nno route to host; or name/);
  });
});
