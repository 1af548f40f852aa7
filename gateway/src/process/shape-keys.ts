import { z } from "zod";

/** What a shape is behind "may be absent" and defaults. */
export function bare(shape: z.ZodType): z.ZodType {
  const wrapped = shape instanceof z.ZodOptional || shape instanceof z.ZodDefault || shape instanceof z.ZodPrefault;
  return wrapped ? bare(shape.unwrap() as z.ZodType) : shape;
}

/** The sections that a value may be, each by its keys; none for anything but a section. */
export function sectionsOf(shape: z.ZodType): Readonly<Record<string, z.ZodType>>[] {
  const inner = bare(shape);
  if (inner instanceof z.ZodObject) return [inner.shape];
  if (inner instanceof z.ZodUnion) return (inner.options as z.ZodType[]).flatMap(sectionsOf);
  return [];
}

/** Which of several sections a value is meant to be: the one that has the value's literal keys. */
function meant(
  sections: readonly Readonly<Record<string, z.ZodType>>[],
  value: unknown,
): Readonly<Record<string, z.ZodType>> | undefined {
  const fits = sections.find((keys) =>
    Object.entries(keys).every(
      ([key, shape]) =>
        !(shape instanceof z.ZodLiteral) || shape.safeParse((value as Record<string, unknown>)[key]).success,
    ),
  );
  return fits ?? sections[0];
}

/** The keys that are known at a place of a value. */
export function keysAt(shape: z.ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  const keys = meant(sectionsOf(shape), value);
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(keys ?? {});
  const inner = bare(shape);
  const next = inner instanceof z.ZodArray ? (inner.element as z.ZodType) : keys?.[String(first)];
  return next === undefined ? [] : keysAt(next, rest, (value as Record<PropertyKey, unknown>)[first]);
}
