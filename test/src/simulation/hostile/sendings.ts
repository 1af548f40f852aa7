import { decodeSigned, proposalCodec, type Proposal } from "@veilgrid/protocol";
import type { Hostility } from "../scenario.js";
import type { Sending, Tools } from "./hostile.js";

function isOdd(address: string): boolean {
  return address.charCodeAt(address.length - 1) % 2 === 1;
}

/** As a leader it shows some of the others another block than the rest. */
function equivocation({ pen }: Tools): Sending {
  return (send, to, method, request, onResponse) => {
    if (method !== "propose" || !isOdd(to)) return false;
    const proposal: Proposal = decodeSigned(proposalCodec, request, 900).body;
    send(to, method, pen.proposal(proposal, { ts: proposal.header.ts + 1n }), onResponse);
    return true;
  };
}

/** It passes on what comes in to some of the others only. */
function withholding({ draw }: Tools): Sending {
  return (_send, _to, method) => method === "forward" && draw.chance(0.6);
}

/** How a hostile aggregator sends what its honest part has to say. */
export function sendings(does: ReadonlySet<Hostility>, tools: Tools): readonly Sending[] {
  const all: Sending[] = [];
  if (does.has("equivocates")) all.push(equivocation(tools));
  if (does.has("withholds")) all.push(withholding(tools));
  if (does.has("says-nothing")) all.push((_send, _to, method) => method === "propose");
  return all;
}
