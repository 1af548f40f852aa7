import { stateKey } from "@veilgrid/protocol";
import { expect } from "chai";
import { dirname, join, normalize } from "node:path/posix";
import { filesEndingIn, readText } from "../src/documents/repository.js";

interface Package {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Who may import whom, as ARCHITECTURE.md draws it. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  chaincode: ["protocol"],
  "meter-client": ["protocol"],
  gateway: ["chaincode", "meter-client", "protocol"],
  network: ["chaincode", "protocol"],
  test: ["chaincode", "gateway", "meter-client", "network", "protocol"],
  bench: ["gateway", "network", "protocol"],
};

/** Folders of gateway/src: each imports folders of the lines above its own only. */
const FOLDERS: readonly (readonly string[])[] = [
  ["ports"],
  ["transport", "store", "sim", "input"],
  ["process", "verification"],
  ["grpc"],
  ["committed"],
  ["audit"],
  ["ledger"],
  ["fabric"],
  ["remote"],
  ["ipfs", "bill"],
  ["da", "kgcbp", "cc", "customer"],
  ["service"],
  ["meterside"],
  ["world"],
  ["local"],
  ["cli"],
];

/** Files beside the folders that each of them may import. */
const BESIDE: readonly string[] = ["random.js", "exclusive.js"];

/** The modules that a source file imports. */
function importsOf(file: string): string[] {
  return [...readText(file).matchAll(/^(?:import|export)[^;]*?from "([^"]+)"|^import "([^"]+)"/gm)].map(
    ([, from, bare]) => from ?? (bare as string),
  );
}

function sourcesOf(folder: string): string[] {
  return filesEndingIn(".ts", folder);
}

describe("the layers", () => {
  for (const [folder, allowed] of Object.entries(PACKAGES)) {
    it(`of ${folder}: what its package.json depends on`, () => {
      const { dependencies } = JSON.parse(readText(`${folder}/package.json`)) as Package;
      const own = Object.keys(dependencies).filter((name) => name.startsWith("@veilgrid/"));
      expect(own.sort()).to.deep.equal(allowed.map((name) => `@veilgrid/${name}`));
    });

    it(`of ${folder}: packages are imported by name, and only those`, () => {
      const strays = sourcesOf(folder).flatMap((file) =>
        importsOf(file).filter((name) => {
          if (name.startsWith("@veilgrid/")) return ![folder, ...allowed].includes(name.slice("@veilgrid/".length));
          return name.startsWith(".") && !normalize(join(dirname(file), name)).startsWith(`${folder}/`);
        }),
      );
      expect(strays).to.deep.equal([]);
    });

    it(`of ${folder}: sources import no package that is only there because another wants it`, () => {
      const { dependencies, optionalDependencies } = JSON.parse(readText(`${folder}/package.json`)) as Package;
      const tools = (JSON.parse(readText("package.json")) as { readonly devDependencies: object }).devDependencies;
      const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...(folder === "test" ? tools : {}) });
      const strays = sourcesOf(`${folder}/src`).flatMap((file) =>
        importsOf(file)
          .filter((name) => !name.startsWith(".") && !name.startsWith("node:"))
          .map((name) => name.split("/", name.startsWith("@") ? 2 : 1).join("/"))
          .filter((name) => !declared.includes(name)),
      );
      expect(strays).to.deep.equal([]);
    });
  }

  it("of gateway/src: a folder imports only folders above it", () => {
    const rank = new Map(FOLDERS.flatMap((names, i) => names.map((name) => [name, i] as const)));
    const strays = sourcesOf("gateway/src").flatMap((file) => {
      const folder = file.split("/")[2] as string;
      // index.ts, random.ts and exclusive.ts lie beside the folders: the one exports all of them, the others import a port
      // at most.
      if (!rank.has(folder)) return folder.endsWith(".ts") ? [] : [`${folder} has no place`];
      return importsOf(file)
        .filter((name) => name.startsWith("../"))
        .map((name) => normalize(join(dirname(file), name)).split("/")[2] as string)
        .filter((other) => !BESIDE.includes(other) && (rank.get(other) ?? Infinity) >= (rank.get(folder) as number))
        .map((other) => `${file} imports ${other}`);
    });
    expect(strays).to.deep.equal([]);
  });

  it("are those that ARCHITECTURE.md shows", () => {
    const text = readText("ARCHITECTURE.md");
    for (const names of FOLDERS) expect(text).to.include(`| ${names.map((name) => `\`${name}\``).join(", ")} `);
  });
});

describe("the ledger's state, as ARCHITECTURE.md lists it", () => {
  it("has every kind of key", () => {
    const listed = [...readText("ARCHITECTURE.md").matchAll(/^\| (`[^|]+)\|/gm)].flatMap(([, cell]) =>
      [...(cell as string).matchAll(/`([a-z]+)[`/]/g)].map(([, kind]) => kind as string),
    );
    const period = { month: 24314, k: 0 };
    const bytes = new Uint8Array(32);
    const all = [
      stateKey.consortium,
      stateKey.paramsVersion,
      stateKey.paramsBlock(2),
      stateKey.term,
      stateKey.election(1n),
      stateKey.regions,
      stateKey.chain(1),
      stateKey.header(1, 1n),
      stateKey.body(1, 1n),
      stateKey.epochs(1, period.month),
      stateKey.readings(1, period),
      stateKey.mask(1, period),
      stateKey.price(1, period),
      stateKey.priced(1, period.month),
      stateKey.bill(bytes.slice(16), period.month),
      stateKey.fault(1, period),
      stateKey.verdict(1, period, bytes),
      stateKey.close(1, period.month),
    ];
    expect(Object.keys(stateKey)).to.have.length(all.length + 1);
    expect(all.map((key) => key.split("/")[0]).filter((kind) => !listed.includes(kind as string))).to.deep.equal([]);
  });
});
