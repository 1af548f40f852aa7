import { answerCodec, answerName, type AnswerName } from "@veilgrid/protocol";
import { decodeResponse, type Method, type World } from "@veilgrid/gateway";

/** What came of a request: "accepted", an Answer's name, "incomplete", or "silence" so far. */
export type Heard = AnswerName | "accepted" | "incomplete" | "silence";

/** A request and what was answered. */
export class Asked {
  #response: Uint8Array | undefined;

  hear(response: Uint8Array): void {
    this.#response = response;
  }

  get heard(): Heard {
    if (this.#response === undefined) return "silence";
    const decoded = decodeResponse(this.#response);
    if (decoded.tag !== "answer") return decoded.tag;
    const { code } = answerCodec.decode(decoded.answer);
    const name = answerName(code);
    if (name === undefined) throw new Error(`no answer has code ${code}`);
    return name;
  }

  /** The body of what was accepted. */
  get accepted(): Uint8Array {
    const decoded = this.#response === undefined ? undefined : decodeResponse(this.#response);
    if (decoded?.tag !== "accepted") throw new Error(`heard ${this.heard}`);
    return decoded.body;
  }
}

/** Somebody on the network who may say what he likes, under any name, to any aggregator. */
export class Stranger {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Asks da/`da` now. */
  ask(da: number, method: Method, request: Uint8Array, as = "stranger"): Asked {
    const asked = new Asked();
    this.#world.network.transport(as).request(`da/DA${da}MSP`, method, request, (response) => {
      asked.hear(response);
    });
    return asked;
  }

  /** Does something at a time, Unix milliseconds. */
  at(time: number, action: () => Promise<void> | void): void {
    this.#world.clock.at(time, "the stranger", action);
  }
}
