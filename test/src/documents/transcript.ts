import type { Fence } from "./fences.js";

/** A command of a document and what the document says it prints. */
export interface Step {
  readonly command: string;
  /** The exit code that is stated after the command, as in `# exits with 2`; 0 if none is. */
  readonly exit: number;
  /** Lines, `...` standing for anything; undefined where the document shows commands alone. */
  readonly output: readonly string[] | undefined;
}

const EXIT = /\s+# exits with (\d+)$/;

function stepOf(command: string, output: readonly string[] | undefined): Step {
  const exit = EXIT.exec(command)?.[1];
  return { command: command.replace(EXIT, ""), exit: Number(exit ?? 0), output };
}

/** Lines joined where one ends in a backslash. */
function logicalLines(lines: readonly string[]): string[] {
  return lines
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n");
}

function consoleSteps(lines: readonly string[]): Step[] {
  const steps: Step[] = [];
  for (const line of logicalLines(lines)) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push(stepOf(line.slice(2), []));
    else if (last === undefined) throw new Error(`a console block begins with a command, not with: ${line}`);
    else steps[steps.length - 1] = { ...last, output: [...(last.output ?? []), line] };
  }
  return steps.map((step) => ({ ...step, output: withoutEnd(step.output ?? []) }));
}

/** Blank lines between a command's output and the next command are the document's. */
function withoutEnd(output: readonly string[]): readonly string[] {
  return output.slice(0, output.findLastIndex((line) => line.trim() !== "") + 1);
}

/** The commands of a block, none for a block of another kind. */
export function stepsOf({ language, lines }: Fence): Step[] {
  if (language === "console") return consoleSteps(lines);
  if (language !== "sh") return [];
  const commands = logicalLines(lines).filter((line) => line !== "" && !line.startsWith("#"));
  return commands.map((command) => stepOf(command, undefined));
}

function lineMatches(shown: string, printed: string): boolean {
  const parts = shown.split("...").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(printed.trimEnd());
}

/**
 * What is wrong with the output that a document shows: its first line that was not printed, or that it ends too early;
 * undefined where it is right. A line that is only `...` stands for any number of lines; within a line it stands for any
 * characters. A document that shows nothing says nothing.
 */
export function firstMismatch(shown: readonly string[], printed: string): string | undefined {
  if (shown.length === 0) return undefined;
  const lines = printed.trimEnd().split("\n");
  let at = 0;
  let skipping = false;
  for (const line of shown) {
    if (line === "...") {
      skipping = true;
      continue;
    }
    const found = lines.findIndex((one, i) => i >= at && lineMatches(line, one));
    if (found < 0 || (!skipping && found > at)) return line;
    at = found + 1;
    skipping = false;
  }
  return skipping || at >= lines.length ? undefined : `nothing after: ${shown.at(-1) ?? ""}`;
}
