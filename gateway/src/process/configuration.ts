import { dirname, resolve } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";
import { parse, parseDocument } from "yaml";
import type { z } from "zod";
import { readWhole } from "../store/files.js";
import { overridesOf, type Override } from "./overrides.js";
import { keysAt } from "./shape-keys.js";

/** Variables that the environment may have besides overrides. */
const OTHER_VARIABLES = new Set([
  "VEILGRID_ENGINE",
  "VEILGRID_LIBSECP",
  "VEILGRID_FABRIC_BIN",
  "VEILGRID_NETWORK",
  "VEILGRID_CCAAS_CONNECTIONS",
]);
/** More would be no help. */
const MOST_PROBLEMS = 8;

type Environment = Readonly<Record<string, string | undefined>>;

/** The shape of a configuration whose file lies in a folder, to which its paths are relative. */
export type ConfigurationShape<T> = (folder: string) => z.ZodType<T>;

/**
 * Reads a configuration: a YAML file, then what the environment overrides of it ("VEILGRID_HTTP_LISTEN" is `http.listen`,
 * "VEILGRID_SECRET_FILE" is `secretFile`), then the shape's checks.
 * @throws VeilgridError `no-configuration`; `bad-configuration`, which names each key that is unknown or has a bad value.
 */
export async function readConfiguration<T>(
  file: string,
  shapeIn: ConfigurationShape<T>,
  environment: Environment = process.env,
): Promise<T> {
  const path = resolve(file);
  const text = await readWhole(path);
  if (text === undefined) {
    throw new VeilgridError("no-configuration", `there is no file ${path}`, { facts: { path }, blame: "operator" });
  }
  const shape = shapeIn(dirname(path));
  const given = parsed(path, text);
  const strays = applyOverrides(given, overridesOf(shape), environment);
  const { success, data, error } = shape.safeParse(given);
  const problems = [...strays, ...(success ? [] : error.issues.map((issue) => described(issue, shape, given)))];
  if (!success || problems.length > 0) throw bad(path, problems);
  return data;
}

function bad(path: string, problems: readonly string[]): VeilgridError {
  const shown = problems.slice(0, MOST_PROBLEMS).join("; ");
  const more = problems.length > MOST_PROBLEMS ? `; and ${problems.length - MOST_PROBLEMS} more` : "";
  return new VeilgridError("bad-configuration", `${path}: ${shown}${more}`, {
    facts: { path, problems: problems.length },
    blame: "operator",
  });
}

function parsed(path: string, text: string): Record<string, unknown> {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error !== undefined) throw bad(path, [error.message.replace(/\s*\n[^]*$/, "").replace(/:$/, "")]);
  const value: unknown = document.toJS() ?? {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(path, ["keys with values are due"]);
}

/** Puts the environment's values in; gives what is wrong with them. */
function applyOverrides(
  given: Record<string, unknown>,
  overrides: ReadonlyMap<string, Override>,
  environment: Environment,
): string[] {
  const problems: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith("VEILGRID_") || OTHER_VARIABLES.has(name) || text === undefined) continue;
    const override = overrides.get(name);
    if (override === undefined) problems.push(`the environment's ${name} overrides nothing that there is here`);
    else put(given, override, text);
  }
  return problems;
}

function put(given: Record<string, unknown>, { path, takes }: Override, text: string): void {
  let at = given;
  for (const key of path.slice(0, -1)) {
    const inner = at[key];
    // What is no section is left for the shape to refuse.
    at = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : (at[key] = {});
  }
  at[path.at(-1) as string] = takes(text) ? text : (parse(text) as unknown);
}

type Issue = z.core.$ZodIssue;

/** "meters.listn is unknown here; known are: listen, certificate, key" */
function described(issue: Issue, shape: z.ZodType, given: unknown): string {
  const path = pathText(issue.path);
  if (issue.code === "unrecognized_keys") {
    const known = keysAt(shape, issue.path, given).join(", ");
    const names = issue.keys.map((key) => pathText([...issue.path, key]));
    return `${names.join(", ")} is unknown; ${path === "" ? "known are" : `known in ${path} are`}: ${known}`;
  }
  if (valueAt(given, issue.path) === undefined) return `${path} is missing; ${due(issue)}`;
  return `${path}: ${due(issue)}`;
}

function due(issue: Issue): string {
  if (issue.code === "invalid_type") return `${article(issue.expected)} is due`;
  if (issue.code === "invalid_value") return `one of ${issue.values.map(String).join(", ")} is due`;
  if (issue.code === "invalid_union" && "options" in issue)
    return `one of ${issue.options.map(String).join(", ")} is due`;
  if (issue.code === "too_small") return `${String(issue.minimum)} or more is due`;
  if (issue.code === "too_big") return `${String(issue.maximum)} or less is due`;
  return issue.message;
}

const NAMES: Readonly<Record<string, string>> = {
  object: "a section with keys",
  array: "a list",
  int: "a whole number",
  string: "a text",
};

function article(expected: string): string {
  return NAMES[expected] ?? `a ${expected}`;
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`))
    .join("")
    .replace(/^\./, "");
}

function valueAt(given: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], given);
}
