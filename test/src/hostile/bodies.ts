import type { Dice } from "./dice.js";

type Mutation = (valid: Buffer, dice: Dice, other: Uint8Array) => Buffer;

/** One to four bits turned. */
function flipped(valid: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(valid);
  for (let i = dice.below(4); i >= 0 && copy.length > 0; i -= 1) {
    const at = dice.below(copy.length);
    copy[at] = (copy[at] as number) ^ (1 << dice.below(8));
  }
  return copy;
}

/** A field of one to eight bytes, such as a length or a count, at its least or its most. */
function extreme(valid: Buffer, dice: Dice): Buffer {
  const copy = Buffer.from(valid);
  const at = dice.below(copy.length + 1);
  copy.fill(dice.pick([0, 0x7f, 0x80, 0xff]), at, Math.min(copy.length, at + dice.pick([1, 2, 3, 4, 8])));
  return copy;
}

function cut(valid: Buffer, dice: Dice): Buffer {
  return valid.subarray(0, dice.below(valid.length + 1));
}

function longer(valid: Buffer, dice: Dice): Buffer {
  return Buffer.concat([valid, dice.noise(1 + dice.below(80))]);
}

/** The beginning of one and the end of another. */
function spliced(valid: Buffer, dice: Dice, other: Uint8Array): Buffer {
  return Buffer.concat([cut(valid, dice), Buffer.from(other).subarray(dice.below(other.length + 1))]);
}

function twice(valid: Buffer): Buffer {
  return Buffer.concat([valid, valid]);
}

function random(valid: Buffer, dice: Dice): Buffer {
  return dice.noise(dice.below(2 * valid.length + 32));
}

const MUTATIONS: readonly Mutation[] = [flipped, flipped, extreme, extreme, cut, longer, spliced, twice, random];

/** What may stand where a valid body should. @param other another valid body, whose end may be borrowed. */
export function mutated(valid: Uint8Array, dice: Dice, other: Uint8Array): Buffer {
  return dice.pick(MUTATIONS)(Buffer.from(valid), dice, other);
}
