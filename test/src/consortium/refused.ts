import { expect } from "chai";
import { isVeilgridError, type VeilgridError } from "@veilgrid/protocol";
import type { Draft, Forgery } from "./blocks.js";
import type { Chain } from "./chain.js";
import type { TestLedger } from "./map-ledger.js";

/** The error of an attempt that has to fail. */
export async function failureOf(attempt: Promise<unknown>): Promise<VeilgridError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isVeilgridError(error)) throw new Error("this had to be refused", { cause: error });
  return error;
}

/** The refusal's code: the contract's own, where it was a contract that refused. */
export function codeOf({ code, facts }: VeilgridError): string {
  return String(facts.contract ?? code);
}

/** Why a ledger refuses something; it must hold exactly what it held before. */
export async function refusalOf(ledger: TestLedger, attempt: () => Promise<unknown>): Promise<VeilgridError> {
  const before = await ledger.contents();
  const error = await failureOf(attempt());
  expect(await ledger.contents(), `nothing changed by ${error.code}`).to.equal(before);
  return error;
}

/** Why a block is refused, its code alone; the ledger is as it was. */
export async function refused(chain: Chain<TestLedger>, draft: Draft, forgery: Forgery = {}): Promise<string> {
  const sealed = await chain.seal(draft, forgery);
  return codeOf(await refusalOf(chain.ledger, () => chain.submit(sealed)));
}
