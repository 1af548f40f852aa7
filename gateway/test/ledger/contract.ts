import { createHash } from "node:crypto";
import { Contract } from "fabric-contract-api";
import type { Context } from "fabric-contract-api";

/** A contract's refusal as the project's contracts word it. */
export function refusal(code: string, message: string, facts: Record<string, string | number | boolean> = {}): Error {
  return new Error(JSON.stringify({ code, message, facts }));
}

async function text(ctx: Context, key: string): Promise<string> {
  return Buffer.from(await ctx.stub.getState(key)).toString();
}

/** Something of everything that a contract does, for the conformance suite. It is deployed under the name "Notes". */
export class Notes extends Contract {
  constructor() {
    super("Notes");
  }

  async put(ctx: Context, key: string, value: string): Promise<string> {
    const before = await text(ctx, key);
    await ctx.stub.putState(key, Buffer.from(value));
    ctx.stub.setEvent("put", Buffer.from(`${key}=${value}`));
    return before;
  }

  get(ctx: Context, key: string): Promise<string> {
    return text(ctx, key);
  }

  async remove(ctx: Context, key: string): Promise<void> {
    await ctx.stub.deleteState(key);
  }

  /** Adds one: two at once must not both count from the same value. */
  async increment(ctx: Context, key: string): Promise<number> {
    const next = Number(await text(ctx, key)) + 1;
    await ctx.stub.putState(key, Buffer.from(next.toString()));
    return next;
  }

  /** The entries of a range as "key=value" lines; `limit` leaves it early. */
  async list(ctx: Context, start: string, end: string, limit: string): Promise<string> {
    const lines: string[] = [];
    for await (const { key, value } of ctx.stub.getStateByRange(start, end)) {
      lines.push(`${key}=${Buffer.from(value).toString()}`);
      if (lines.length === Number(limit)) break;
    }
    return lines.join("\n");
  }

  /** Writes how many keys a range has: a phantom would make it wrong. */
  async tally(ctx: Context, start: string, end: string, into: string): Promise<void> {
    const lines = await this.list(ctx, start, end, "0");
    await ctx.stub.putState(into, Buffer.from(lines === "" ? "0" : lines.split("\n").length.toString()));
  }

  /** Writes keys out of order, and one of them twice. */
  async shuffle(ctx: Context, prefix: string): Promise<void> {
    for (const [key, value] of [
      ["b", "1"],
      ["é", "1"],
      ["a", "1"],
      ["b", "2"],
    ] as const) {
      await ctx.stub.putState(prefix + key, Buffer.from(value));
    }
  }

  /** What a transaction reads of a key that it has just written. */
  async writeThenRead(ctx: Context, key: string, value: string): Promise<string> {
    await ctx.stub.putState(key, Buffer.from(value));
    return text(ctx, key);
  }

  /** Stores bulk bytes that come as transient data, if their hash is the argument. */
  async bulk(ctx: Context, key: string, sha256: string): Promise<void> {
    const bytes = Buffer.from(ctx.stub.getTransient().get("bulk") ?? []);
    if (createHash("sha256").update(bytes).digest("hex") !== sha256) throw refusal("wrong-bulk", "another hash");
    await ctx.stub.putState(key, bytes);
  }

  async emptyValue(ctx: Context, key: string): Promise<void> {
    await ctx.stub.putState(key, Buffer.alloc(0));
  }

  who(ctx: Context): Promise<string> {
    return Promise.resolve(ctx.clientIdentity.getMSPID());
  }

  txId(ctx: Context): Promise<string> {
    return Promise.resolve(ctx.stub.getTxID());
  }

  refuse(_ctx: Context, code: string): Promise<void> {
    return Promise.reject(refusal(code, "not today", { limit: 3 }));
  }

  break(): Promise<void> {
    return Promise.reject(new Error("something broke"));
  }
}
