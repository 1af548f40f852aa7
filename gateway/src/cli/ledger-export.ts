import { stat } from "node:fs/promises";
import { VeilgridError, toHex } from "@veilgrid/protocol";
import type { Command } from "commander";
import { exportLedger } from "../ledger/export.js";
import { addLedgerOptions, type LedgerOptions } from "./ledger-options.js";
import { withLedger } from "./ledger-source.js";
import { examples, jsonOption } from "./options.js";
import { counted, line, printJson } from "./output.js";

interface ExportOptions extends LedgerOptions {
  readonly json?: boolean;
  readonly force?: boolean;
}

const NOTES = `The file holds everything that is needed to audit the ledger and to verify bills, and no secret: readings in it
are masked, and bills are named by their hashes. Two exports of one ledger are the same bytes. The hash of a Fabric
channel's file is that of the last block's header, which every peer tells ("veilgrid ledger peers").`;

/** `veilgrid ledger export`: the whole ledger in one file. */
export function addLedgerExport(parent: Command): void {
  addLedgerOptions(parent.command("export"))
    .description("write the whole ledger into one file, for audits and for verifying bills elsewhere")
    .argument("<file>", "where to; gzipped if its name ends in .gz")
    .option("--force", "replace the file if it is there")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      examples(
        [
          "veilgrid ledger export ledger.vgl.gz --out my-run",
          "veilgrid ledger export ledger.vgl.gz --ledger fabric --profile .fabric/profile.json",
          "veilgrid audit ledger.vgl.gz",
        ],
        NOTES,
      ),
    )
    .action((file: string, options: ExportOptions) => exportFile(file, options));
}

async function exportFile(file: string, { force = false, json = false, ...options }: ExportOptions): Promise<void> {
  const there = await stat(file).catch(() => undefined);
  if (there?.isDirectory() === true || (there !== undefined && !force)) {
    throw new VeilgridError("file-exists", `${file} is there already; --force replaces a file`, {
      facts: { file },
      blame: "caller",
    });
  }
  const { height, hash } = await withLedger(options, (ledger) => exportLedger(ledger, file));
  const { size } = await stat(file);
  if (json) printJson({ file, blocks: height, hash: toHex(hash), bytes: size });
  else line(`${file}: ${counted(Number(height), "ledger block")}, ${size} bytes, hash ${toHex(hash)}`);
}
