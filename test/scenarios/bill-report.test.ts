import { expect } from "chai";
import { readText } from "../src/documents/repository.js";

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

const SCHEMA = JSON.parse(readText("protocol/schema/bill-report.schema.json")) as Schema;
const PAGE = readText("docs/bill-report.md");

/** The names of all fields that hold a value and no fields of their own, as the page writes them. */
function fieldsOf(schema: Schema, name: string): string[] {
  const { $ref } = schema;
  if ($ref !== undefined) return fieldsOf(SCHEMA.$defs?.[$ref.slice("#/$defs/".length)] as Schema, name);
  if (schema.items?.properties !== undefined) return fieldsOf(schema.items, `${name}[]`);
  if (schema.properties === undefined) return [name];
  const before = name === "" ? "" : `${name}.`;
  return Object.entries(schema.properties).flatMap(([field, inner]) => fieldsOf(inner, `${before}${field}`));
}

function rowNames(pattern: RegExp): string[] {
  return [...PAGE.matchAll(pattern)].map(([, name]) => name as string);
}

describe("docs/bill-report.md", () => {
  it("has every field of the schema, and no other", () => {
    const listed = rowNames(/^\| `([\w.[\]]+)` +\| [^|]+\| [^|]+\|$/gm);
    expect(listed.sort()).to.deep.equal(fieldsOf(SCHEMA, "").sort());
  });

  it("has every difference that a verification names", () => {
    const union = /export type DifferenceCode =([^;]+);/.exec(readText("protocol/src/difference.ts"))?.[1] ?? "";
    const codes = [...union.matchAll(/"([a-z-]+)"/g)].map(([, code]) => code as string);
    expect(codes).to.have.length(20);
    expect(codes.filter((code) => !PAGE.includes(`\`${code}\``))).to.deep.equal([]);
  });
});
