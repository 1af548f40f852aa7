/** Where in a JSON value a check stands, and how its refusal is made. */
export interface Place {
  /** Names from the top, such as "lines/0/nano"; empty at the top. */
  readonly path: string;
  readonly refuse: (path: string, why: string) => Error;
}

/** Looks at a value of unknown JSON and gives it back as what it is, or throws the place's refusal. */
export type Check<T> = (value: unknown, place: Place) => T;

type Checked<C> = C extends Check<infer T> ? T : never;
type Checks = Readonly<Record<string, Check<unknown>>>;
type Required<R extends Checks> = { readonly [K in keyof R]: Checked<R[K]> };
type Optional<O extends Checks> = { readonly [K in keyof O]?: Checked<O[K]> };

function into(place: Place, key: string | number): Place {
  return { path: place.path === "" ? String(key) : `${place.path}/${key}`, refuse: place.refuse };
}

function refusal(place: Place, why: string): Error {
  return place.refuse(place.path, why);
}

/** Exactly this value. */
export function literal<const T extends string | number>(expected: T): Check<T> {
  return (value, place) => {
    if (value !== expected) throw refusal(place, `not ${JSON.stringify(expected)}`);
    return expected;
  };
}

/** One of these texts. */
export function oneOf<const T extends string>(...choices: readonly T[]): Check<T> {
  return (value, place) => {
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw refusal(place, `not one of ${choices.join(", ")}`);
    return found;
  };
}

/** A safe integer in [min, max]. */
export function integer(min: number, max: number = Number.MAX_SAFE_INTEGER): Check<number> {
  return (value, place) => {
    if (typeof value !== "number" || !Number.isSafeInteger(value)) throw refusal(place, "not a safe integer");
    if (value < min || value > max) throw refusal(place, `not in ${min} to ${max}`);
    return value;
  };
}

/** A text that matches `pattern` as a whole; `name` says what was expected. */
export function text(pattern: RegExp, name: string): Check<string> {
  return (value, place) => {
    if (typeof value !== "string" || !pattern.test(value)) throw refusal(place, `not ${name}`);
    return value;
  };
}

/** An integer of any size as a decimal text, without leading zeros or a minus before zero; at most 40 digits. */
export const decimal = text(/^(?:0|-?[1-9][0-9]{0,39})$/, "an integer as a decimal string");

/** As `decimal`, but not below zero. */
export const naturalDecimal = text(/^(?:0|[1-9][0-9]{0,39})$/, "a non-negative integer as a decimal string");

/** So many bytes in lower-case hex. */
export function hex(bytes: number): Check<string> {
  return text(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${bytes} bytes in lower-case hex`);
}

/** Null, or what the check says. */
export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value, place) => (value === null ? null : check(value, place));
}

/** An array of `min` to `max` such elements. */
export function listOf<T>(check: Check<T>, min = 0, max = Number.POSITIVE_INFINITY): Check<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) throw refusal(place, "not an array");
    if (value.length < min) throw refusal(place, `fewer than ${min} elements`);
    if (value.length > max) throw refusal(place, `more than ${max} elements`);
    return value.map((element: unknown, i) => check(element, into(place, i)));
  };
}

/** An array of exactly two. */
export function pairOf<A, B>(first: Check<A>, second: Check<B>): Check<readonly [A, B]> {
  return (value, place) => {
    if (!Array.isArray(value) || value.length !== 2) throw refusal(place, "not a pair");
    return [first(value[0], into(place, 0)), second(value[1], into(place, 1))];
  };
}

/** An object with all fields of `required`, perhaps some of `optional`, and no other. */
export function objectOf<R extends Checks>(required: R): Check<Required<R>>;
export function objectOf<R extends Checks, O extends Checks>(
  required: R,
  optional: O,
): Check<Required<R> & Optional<O>>;
export function objectOf(required: Checks, optional: Checks = {}): Check<object> {
  const checks = new Map(Object.entries({ ...optional, ...required }));
  const names = Object.keys(required);
  return (value, place) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw refusal(place, "not an object");
    const absent = names.find((name) => !Object.hasOwn(value, name));
    if (absent !== undefined) throw refusal(into(place, absent), "absent");
    const fields = Object.entries(value).map(([name, field]: [string, unknown]) => {
      const check = checks.get(name);
      if (check === undefined) throw refusal(into(place, name), "unknown field");
      return [name, check(field, into(place, name))] as const;
    });
    return Object.fromEntries(fields);
  };
}
