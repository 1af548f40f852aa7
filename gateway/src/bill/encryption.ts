import { VeilgridError } from "@veilgrid/protocol";
import type * as Age from "age-encryption";
import { withRandomness } from "./scoped-randomness.js";

/** Draws `count` bytes of a run's seed: a function of what they are drawn for, so a resumed run draws the same. */
export type SeededBytes = (count: number, draw: number) => Uint8Array;

/** Loaded when it is needed: with all kinds of recipients it takes longer than most commands. */
function loadAge(): Promise<typeof Age> {
  return import("age-encryption");
}

/** Runs age's own code on the seed's bytes, draw by draw; without a seed on the platform's randomness. */
async function draw<T>(seeded: SeededBytes | undefined, task: () => Promise<T>): Promise<T> {
  if (seeded === undefined) return task();
  let draws = 0;
  return withRandomness((array) => {
    array.set(seeded(array.length, draws));
    draws += 1;
  }, task);
}

/** A customer's key pair: an age X25519 identity ("AGE-SECRET-KEY-1…", secret) and its recipient ("age1…"). */
export interface CustomerKey {
  readonly identity: string;
  readonly recipient: string;
}

/** A new key pair, X25519 by name: age's default may become another kind, which older tools cannot read. */
export async function newCustomerKey(seeded?: SeededBytes): Promise<CustomerKey> {
  const { generateX25519Identity, identityToRecipient } = await loadAge();
  const identity = await draw(seeded, () => generateX25519Identity());
  return { identity, recipient: await identityToRecipient(identity) };
}

/** @throws VeilgridError `bad-recipient` unless the text is an age X25519 recipient. */
async function encrypterFor(recipient: string): Promise<Age.Encrypter> {
  const { Encrypter } = await loadAge();
  const encrypter = new Encrypter();
  try {
    // 58 characters of bech32 after the prefix; the hybrid kinds are longer.
    if (!/^age1[a-z0-9]{58}$/.test(recipient)) throw new Error("not an X25519 recipient");
    encrypter.addRecipient(recipient);
  } catch (cause) {
    throw new VeilgridError("bad-recipient", "bills and keys are encrypted to an age X25519 recipient", {
      blame: "operator",
      cause,
    });
  }
  return encrypter;
}

/** Refuses what nothing can be encrypted to, a mistyped recipient too. @throws VeilgridError `bad-recipient`. */
export async function requireRecipient(recipient: string): Promise<void> {
  await encrypterFor(recipient);
}

/**
 * Encrypts to one age X25519 recipient alone: one stanza, no grease stanza.
 * @throws VeilgridError `bad-recipient`.
 */
export async function encryptTo(recipient: string, plaintext: Uint8Array, seeded?: SeededBytes): Promise<Uint8Array> {
  const encrypter = await encrypterFor(recipient);
  return draw(seeded, () => encrypter.encrypt(plaintext));
}

/**
 * Encrypts a padded bill to the customer alone: one X25519 stanza, no grease stanza (PROTOCOL section 4, Dynamic
 * billing), so that the length of the plaintext alone decides that of the ciphertext.
 * @param billBytes the length that the ciphertext must have.
 * @throws VeilgridError `bad-recipient`; `wrong-bill-length` where the plaintext was padded to another length.
 */
export async function encryptBill(
  plaintext: Uint8Array,
  recipient: string,
  billBytes: number,
  seeded?: SeededBytes,
): Promise<Uint8Array> {
  const ciphertext = await encryptTo(recipient, plaintext, seeded);
  // "the ciphertext of every bill has exactly billBytes": length follows consumption closely otherwise.
  if (ciphertext.length !== billBytes) {
    throw new VeilgridError("wrong-bill-length", "the padded bill does not encrypt to the length of all bills", {
      facts: { billBytes, got: ciphertext.length },
      blame: "caller",
    });
  }
  return ciphertext;
}

/**
 * What is encrypted to an identity: a bill's plaintext with its padding, or a meter's delivery of keys.
 * @param what names it where it does not open.
 * @throws VeilgridError `cannot-decrypt` for what is another's, a changed one, or a broken identity.
 */
export async function decryptWith(identity: string, ciphertext: Uint8Array, what = "message"): Promise<Uint8Array> {
  const { Decrypter } = await loadAge();
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(identity);
    return await decrypter.decrypt(ciphertext);
  } catch (cause) {
    throw new VeilgridError("cannot-decrypt", `the identity does not open this ${what}`, { blame: "caller", cause });
  }
}

/** The plaintext of a bill, padding included. @throws VeilgridError `cannot-decrypt`. */
export function decryptBill(ciphertext: Uint8Array, identity: string): Promise<Uint8Array> {
  return decryptWith(identity, ciphertext, "bill");
}
