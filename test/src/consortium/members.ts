import { paramsDefaults, schnorr, sha256, toHex, utf8, type Member, type Params } from "@veilgrid/protocol";

const secrets = new Map<string, Uint8Array>();

/** A member whose key follows from a name: not secret at all. */
export function memberOf(msp: string, keyName = msp): Member {
  const secret = sha256(utf8(`test key of ${keyName}`));
  const key = schnorr.publicKey(secret);
  secrets.set(toHex(key), secret);
  return { msp, key };
}

/** The secret of a key that `memberOf` made. */
export function secretOf(key: Uint8Array): Uint8Array {
  const secret = secrets.get(toHex(key));
  if (secret === undefined) throw new Error("nobody has this key");
  return secret;
}

/** `count` data aggregators: Da0, Da1, ... */
export function aggregators(count: number): Member[] {
  return Array.from({ length: count }, (_, i) => memberOf(`Da${i}`));
}

/** Version 1 of a small consortium's parameters: four aggregators (f = 1, Q = 3), and five meters make a release. */
export function paramsOf(change: Partial<Params> = {}): Params {
  return {
    ...paramsDefaults,
    version: 1,
    channel: "veilgrid",
    da: aggregators(4),
    cc: memberOf("Cc"),
    kgcbp: memberOf("Kgcbp"),
    minReleaseMeters: 5,
    maxRegionMeters: 50,
    ...change,
  };
}
