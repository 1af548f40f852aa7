import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect } from "chai";
import { filesEndingIn, readText, REPOSITORY } from "../src/documents/repository.js";

const DOCUMENT = "docs/operations.md";
const SOURCES = ["gateway/src", "meter-client/src"];
/** Of the Prometheus client itself. */
const DEFAULTS = [
  "process_resident_memory_bytes",
  "process_cpu_seconds_total",
  "nodejs_eventloop_lag_p99_seconds",
  "up",
  "time",
];

function sources(): string {
  return SOURCES.flatMap((folder) => filesEndingIn(".ts", folder))
    .map((file) => readText(file))
    .join("\n");
}

/** The first cells of a document's table rows below a heading, each text in backticks on its own. */
function listed(heading: string): string[] {
  const section = readText(DOCUMENT).split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^\| (`[^|]*)\|/gm)].flatMap(([, cell]) =>
    [...(cell as string).matchAll(/`([^`]+)`/g)].map(([, text]) => text as string),
  );
}

/** The names of the services' own numbers. */
function numbers(text: string): string[] {
  const made = [...text.matchAll(/(?:counter|gauge|seconds)\(\s*"([a-z_]+)",/g)].map(([, name]) => name as string);
  return [...new Set(made)].map((name) => `veilgrid_${name}`).sort();
}

describe("the operations page", () => {
  const text = sources();

  it("says of every number what it counts, and of no other", () => {
    const fleet = numbers(text).filter((name) => name.startsWith("veilgrid_meter"));
    expect(listed("Numbers").sort()).to.deep.equal(numbers(text).filter((name) => !fleet.includes(name)));
  });

  it("says of every event that is a warning or an error what to do, and of no other", () => {
    const logged = [
      ...text.matchAll(/(?:log|Log|failure)\(\s*(?:[^"()]*\? )?"(?:warn|error)"(?: : "\w+")?,\s*"([a-z-]+)"/g),
    ].map(([, event]) => event as string);
    const events = new Set(listed("Log events"));
    expect([...new Set(logged)].filter((event) => !events.has(event))).to.deep.equal([]);
    expect([...events].filter((event) => !text.includes(`"${event}"`))).to.deep.equal([]);
  });

  it("says of every alarm what to do, and of no other", () => {
    const rules = [...readText("deploy/alarms.yaml").matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
    expect(listed("Alarms").sort()).to.deep.equal(rules.sort());
  });

  it("has alarms on numbers that there are", () => {
    const known = new Set([...numbers(text), ...DEFAULTS]);
    const used = [...readText("deploy/alarms.yaml").matchAll(/expr: (.*)/g)].flatMap(([, expression]) =>
      [
        ...(expression as string)
          .replace(/"[^"]*"|\{[^}]*\}|\[\w+\]|by \(\w+\)|\b\d[\d.e]*/g, "")
          .matchAll(/[a-z]\w*/g),
      ].map(([name]) => name),
    );
    const functions = ["abs", "and", "by", "histogram_quantile", "increase", "rate", "sum"];
    const strays = used
      .map((name) => name.replace(/_bucket$/, ""))
      .filter((name) => !known.has(name) && !functions.includes(name));
    expect(strays).to.deep.equal([]);
  });
});

describe("the files for real machines", () => {
  const units = filesEndingIn(".service", "deploy/systemd");
  const program = join(REPOSITORY, "gateway", "bin", "veilgrid.js");
  const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
  const folder = mkdtempSync(join(tmpdir(), "veilgrid-units-"));

  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("has a unit for each role, which shuts it in", () => {
    expect(units.map((file) => basename(file)).sort()).to.deep.equal([
      "veilgrid-cc.service",
      "veilgrid-da.service",
      "veilgrid-kgcbp.service",
      "veilgrid-meter.service",
    ]);
    for (const unit of units) {
      const text = readText(unit);
      for (const line of ["DynamicUser=yes", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet="]) {
        expect(text.split("\n"), unit).to.include(line);
      }
      expect(text, unit).to.match(/^LoadCredential=/m);
      expect(text, unit).not.to.match(/^Environment=.*\/etc\/veilgrid\/private/m);
    }
  });

  it("has units that systemd takes, and finds well shut in", function () {
    if (!hasSystemd) this.skip();
    for (const unit of units) {
      const text = readText(unit).replace(
        "/usr/bin/node /usr/lib/veilgrid/gateway/bin/veilgrid.js",
        `${process.execPath} ${program}`,
      );
      const file = join(folder, basename(unit));
      writeFileSync(file, text);
      const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
      expect(verified.status, verified.stderr).to.equal(0);
      const rated = execFileSync("systemd-analyze", ["security", "--offline=true", file], { encoding: "utf8" });
      expect(Number(/exposure level for \S+ ([\d.]+)/.exec(rated)?.[1]), unit).to.be.lessThan(2);
    }
  });

  it("has a Compose file whose services can do nothing but their work", async () => {
    const { parse } = await import("yaml");
    const { services, secrets, volumes } = parse(readText("deploy/compose.yaml"), { merge: true }) as {
      services: Record<string, Record<string, unknown>>;
      secrets: object;
      volumes: object;
    };
    expect(Object.keys(services)).to.deep.equal(["da", "cc", "kgcbp", "meter"]);
    for (const [name, service] of Object.entries(services)) {
      expect(service, name).to.deep.include({
        read_only: true,
        cap_drop: ["ALL"],
        profiles: [name],
        restart: "always",
      });
      expect(service.security_opt).to.deep.equal(["no-new-privileges:true"]);
      expect((service.command as string[]).slice(0, 2).join(" ")).to.equal(
        name === "meter" ? "meter run" : `${name} serve`,
      );
      for (const secret of (service.secrets as string[] | undefined) ?? []) expect(secrets).to.have.property(secret);
      for (const volume of service.volumes as string[]) {
        const from = volume.split(":")[0] as string;
        if (!from.startsWith("./")) expect(volumes).to.have.property(from);
      }
    }
  });
});
