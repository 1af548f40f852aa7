/** A fenced block of a Markdown document. */
export interface Fence {
  /** Line of its opening fence, from 1. */
  readonly line: number;
  /** The first word after the fence: "console", "sh", "json", ... */
  readonly language: string;
  /** The reason in `(not run: reason)` after the language, if it is there. */
  readonly notRun: string | undefined;
  /** The name in `(file: name)` after the language, if it is there: what the block shows is this file. */
  readonly file: string | undefined;
  readonly lines: readonly string[];
}

const OPENING = /^```(\w*)(?: +\((not run|file): (.+)\))?\s*$/;

/** The fenced blocks of a document, in its order. @throws Error for a fence that nothing closes, or with other words. */
export function fencesOf(markdown: string): Fence[] {
  const lines = markdown.split("\n");
  const fences: Fence[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const opening = lines[at] as string;
    if (!opening.startsWith("```")) continue;
    const parts = OPENING.exec(opening);
    const end = lines.indexOf("```", at + 1);
    if (parts === null || end < 0) throw new Error(`line ${at + 1}: not a fence: ${opening}`);
    const [, language, mark, text] = parts as unknown as [string, string, string | undefined, string | undefined];
    const marked = { notRun: mark === "not run" ? text : undefined, file: mark === "file" ? text : undefined };
    fences.push({ line: at + 1, language, ...marked, lines: lines.slice(at + 1, end) });
    at = end;
  }
  return fences;
}
