import type { Command } from "commander";
import { addAggregator, removeAggregator } from "./membership.js";
import { line, say, seconds } from "./print.js";
import type { Site } from "./site.js";

const COMMANDS = [
  [
    "add",
    "brings another aggregator into the channel, and into who endorses; `veilgrid params propose --add-da` comes then",
    "the next number's, such as da4",
    addAggregator,
  ],
  [
    "remove",
    "lets an aggregator go that no version of the parameter set needs any more; `params propose --remove-da` comes first",
    "such as da4",
    removeAggregator,
  ],
] as const;

/** `fabric add|remove`: who takes part. Interrupted, the same command goes on. */
export function addMembership(fabric: Command): void {
  for (const [name, description, argument, act] of COMMANDS) {
    fabric
      .command(name)
      .description(description)
      .argument("<aggregator>", argument)
      .action(async (aggregator: string, _: unknown, command: Command) => {
        const start = performance.now();
        const site = await act(command.optsWithGlobals<{ state: string }>().state, aggregator, say);
        line(`${told(site)}, in ${seconds(start)}`);
      });
  }
}

function told({ aggregators }: Site): string {
  return `on the channel: ${aggregators.map(({ name }) => name).join(", ")}`;
}
