import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { VeilgridError } from "@veilgrid/protocol";
import { z } from "zod";

const member = { msp: z.string().min(1) };

/** A connection profile as `fabric up` writes it: paths are relative to its folder. */
const shape = z.object({
  channel: z.string().min(1),
  chaincode: z.string().min(1),
  clients: z.array(z.object({ ...member, certificate: z.string().min(1), key: z.string().min(1) })).min(1),
  gateways: z
    .array(
      z.object({
        ...member,
        address: z.string().regex(/^[^/\s]+:\d{1,5}$/, "a host and a port are due"),
        host: z.string().min(1),
        tlsRoot: z.string().min(1),
        endorses: z.boolean(),
      }),
    )
    .min(1)
    .refine((gateways) => gateways.some(({ endorses }) => endorses), "no gateway endorses"),
  endorsementSeconds: z.number().positive().default(5),
});

/** An organisation's client: files (PEM) of its certificate and its private key. */
export interface ProfileClient {
  readonly msp: string;
  readonly certificate: string;
  readonly key: string;
}

/** A peer whose gateway clients may use. */
export interface ProfileGateway {
  readonly msp: string;
  /** "127.0.0.1:17053" */
  readonly address: string;
  /** The name in the peer's certificate that TLS holds it to. */
  readonly host: string;
  /** File (PEM) of its TLS authority's certificate. */
  readonly tlsRoot: string;
  /** Whether its organisation endorses; one that does not answers queries. */
  readonly endorses: boolean;
}

/** How clients reach a Fabric network. Paths are absolute. */
export interface Profile {
  readonly channel: string;
  /** The chaincode's name on the channel. */
  readonly chaincode: string;
  readonly clients: readonly ProfileClient[];
  readonly gateways: readonly ProfileGateway[];
  /** How long a gateway waits for one organisation's endorsement (`CORE_PEER_GATEWAY_ENDORSEMENTTIMEOUT`); 5 if not said. */
  readonly endorsementSeconds: number;
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new VeilgridError("no-profile", `${file} cannot be read: a connection profile is due`, {
      facts: { file },
      blame: "caller",
      cause,
    });
  }
}

function badProfile(file: string, why: string, cause?: unknown): VeilgridError {
  return new VeilgridError("bad-profile", `${file} is no connection profile: ${why}`, {
    facts: { file, why },
    blame: "caller",
    cause,
  });
}

function parse(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw badProfile(file, "it is not JSON", cause);
  }
}

/**
 * Reads a connection profile (JSON, as `fabric up` leaves it in its state folder).
 * @throws VeilgridError `no-profile` where the file cannot be read, `bad-profile`.
 */
export async function readProfile(file: string): Promise<Profile> {
  const text = await readText(file);
  const { success, data, error } = shape.safeParse(parse(file, text));
  if (!success) {
    const [issue] = error.issues;
    throw badProfile(file, `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "unknown"}`, error);
  }
  const path = (relative: string): string => resolve(dirname(file), relative);
  return {
    ...data,
    clients: data.clients.map(({ msp, certificate, key }) => ({ msp, certificate: path(certificate), key: path(key) })),
    gateways: data.gateways.map((gateway) => ({ ...gateway, tlsRoot: path(gateway.tlsRoot) })),
  };
}
