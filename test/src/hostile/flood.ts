import { encodeSigned, readingCodec, schnorr, signStruct } from "@veilgrid/protocol";
import type { Attack } from "./attack.js";
import { Dice } from "./dice.js";
import { proper } from "./frames.js";
import { every } from "./pace.js";
import { Papers } from "./papers.js";
import { address, call, openSession } from "./wire.js";

const CONNECTIONS_PER_SECOND = 300;
/** Calls on each connection that is let in. */
const CALLS = 4;
const READINGS = 8;
/** Readings of keys that nobody has listed, well signed. */
const STRANGE = 64;
const READING = "/veilgrid.v1.ReadingIntake/Reading";

/** From one address, far more than a meter's: readings that were sent before, and well-signed ones of unknown keys. */
export const flood: Attack = ({ folder, seed }, tally) => {
  const papers = Papers.of(folder);
  const { places, meters, first: period } = papers.overview;
  const dice = new Dice(`${seed}/flood`);
  const strange = Array.from({ length: STRANGE }, () => {
    const secret = new Uint8Array(dice.noise(32));
    const reading = { region: 1, period, prid: schnorr.publicKey(secret), rc: 1n };
    return encodeSigned(signStruct("reading", papers.consortium, readingCodec, reading, secret));
  });
  const replayed = papers.readings(meters - READINGS, meters);
  const line = { port: places.das[0]?.meters ?? 0, from: address(41, 1) };
  const one = async (): Promise<void> => {
    const bodies = Array.from({ length: CALLS }, () => dice.pick(dice.below(2) === 0 ? strange : replayed));
    tally.add("connections");
    const session = await openSession(line);
    if (session === undefined) {
      tally.add("not let in");
      return;
    }
    const statuses = await Promise.all(bodies.map((body) => call(session, READING, proper(body))));
    tally.add("readings", CALLS);
    tally.add("readings answered", statuses.filter((status) => status === 0).length);
    session.destroy();
  };
  return (signal) => every(1_000 / CONNECTIONS_PER_SECOND, signal, one);
};
