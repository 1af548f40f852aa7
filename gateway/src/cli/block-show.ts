import { KIND } from "@veilgrid/protocol";
import { InvalidArgumentError, type Command } from "commander";
import { kindName } from "../committed/kind-name.js";
import type { LeafFacts } from "./block-leaves.js";
import { shownBlock, type ShownBlock } from "./block-view.js";
import { addLedgerOptions, type LedgerOptions } from "./ledger-options.js";
import { withLedger } from "./ledger-source.js";
import { examples, jsonOption, whole } from "./options.js";
import { counted, line, printFacts, printJson } from "./output.js";

interface ShowOptions extends LedgerOptions {
  readonly shown: number;
  readonly json?: boolean;
}

const NOTES = `Chain 0 is the consortium's: masks, prices, bills. A region's chain has its epochs and readings. Votes, leader's
signature and Merkle root are verified first; exit code 1 if one does not hold. Number 0 is the genesis.`;

/** `veilgrid block show`: a committed block. */
export function addBlockShow(parent: Command): void {
  addLedgerOptions(
    parent
      .command("show")
      .argument("<region>", "chain: a region, or 0 for the consortium's", argument(whole(0, 65_535)))
      .argument("<number>", 'the block\'s number on its chain, or "head"', blockNumber),
  )
    .description("show a committed block: header, hash, voters and what it holds")
    .option("--shown <n>", "show no more than so many leaves (JSON has all)", whole(1), 20)
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid block show 1 2 --out my-run",
          "veilgrid block show 0 head --ledger ledger.vgl --json",
          "veilgrid block show 0 head --ledger fabric --profile .fabric/profile.json",
        ],
        NOTES,
      ),
    )
    .action((region: number, number: bigint | "head", options: ShowOptions) => show(region, number, options));
}

/** commander gives an argument's parser the value before as well. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => parse(text);
}

function blockNumber(text: string): bigint | "head" {
  if (text === "head") return text;
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('It must be a whole number, or "head".');
}

async function show(region: number, number: bigint | "head", options: ShowOptions): Promise<void> {
  const block = await withLedger(options, ({ state }) => shownBlock(state, region, number));
  if (options.json === true) printJson(block);
  else print(block, options.shown);
}

function print(block: ShownBlock, shown: number): void {
  printFacts([
    ["block", `${block.number} of chain ${block.chain}: ${block.kind}`],
    ["hash", block.hash],
    ["previous", block.previous],
    ["Merkle root", block.root],
    ["consortium", block.consortium],
    ["time", block.time],
    ["period", periodLine(block)],
    ["term, round", `${block.term}, ${block.round} (parameters ${block.params})`],
    ["leader", block.leader === null ? "none" : `da/${block.leader}, its signature holds`],
    ["votes", votesLine(block)],
    ["leaves", block.leaves === undefined ? `${block.count}, deleted with their closed month` : String(block.count)],
  ]);
  const leaves = block.leaves ?? [];
  for (const leaf of leaves.slice(0, shown)) printLeaf(leaf, shown);
  printMore(leaves.length - shown);
}

/** A leaf in a line, and below it what it lists. */
function printLeaf(leaf: LeafFacts, shown: number): void {
  const fields = Object.entries(leaf);
  const lists = fields.flatMap(([, value]) => (Array.isArray(value) ? (value as unknown[]) : []));
  line(`  ${fields.map(([name, value]) => fieldText(name, value)).join(", ")}`);
  for (const item of lists.slice(0, shown)) line(`    ${itemText(item)}`);
  printMore(lists.length - shown);
}

function printMore(count: number): void {
  if (count > 0) line(`  ... and ${count} more`);
}

function fieldText(name: string, value: unknown): string {
  return Array.isArray(value) ? `${value.length} ${name}` : `${name} ${String(value)}`;
}

function itemText(item: unknown): string {
  if (typeof item === "string") return item;
  return Object.entries(item as LeafFacts)
    .map(([name, value]) => fieldText(name, value))
    .join(", ");
}

function periodLine({ period, kind, aggFault }: ShownBlock): string {
  if (period === null) return "none";
  if (kind !== kindName(KIND.readings)) return `${period} and after`;
  return aggFault ? `${period}, with an aggregation fault` : period;
}

function votesLine({ voters, quorum }: ShownBlock): string {
  if (voters.length === 0) return "none";
  return `${voters.map((da) => `da/${da}`).join(", ")}: ${counted(quorum, "vote")} needed, all hold`;
}
