import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { VeilgridError, type Facts } from "@veilgrid/protocol";
import type { Address } from "../ports/transport.js";
import type { PEM } from "./authority.js";

/** Who has introduced itself on a connection, and until when its certificate says so. */
export interface Introduced {
  readonly address: Address;
  /** Unix milliseconds. */
  readonly until: number;
}

function refused(code: string, message: string, facts: Facts = {}): VeilgridError {
  return new VeilgridError(code, message, { facts, blame: "peer" });
}

/**
 * The organisations' certificate authorities. A caller is the address whose authority signed its certificate: the
 * certificate's own names say nothing, so no organisation can introduce itself as another.
 */
export class Authorities {
  readonly #authorities: readonly { readonly address: Address; readonly certificate: X509Certificate }[];

  /** @throws VeilgridError `same-authority` where two organisations have one, `bad-certificate`. */
  constructor(authorities: ReadonlyMap<Address, PEM>) {
    this.#authorities = [...authorities].map(([address, pem]) => ({ address, certificate: parse(address, pem) }));
    const known = new Map<string, Address>();
    for (const { address, certificate } of this.#authorities) {
      const other = known.get(certificate.fingerprint256);
      if (other !== undefined) {
        throw new VeilgridError("same-authority", `${address} and ${other} have the same certificate authority`, {
          facts: { address, other },
          blame: "operator",
        });
      }
      known.set(certificate.fingerprint256, address);
    }
  }

  get certificates(): PEM[] {
    return this.#authorities.map(({ certificate }) => certificate.toString());
  }

  /**
   * Who is at the other end of a connection whose handshake is done.
   * @throws VeilgridError `no-certificate`, `expired-certificate`, `foreign-certificate`.
   */
  introduced(socket: TLSSocket): Introduced {
    const shown = socket.getPeerX509Certificate();
    if (shown === undefined) throw refused("no-certificate", "the caller shows no certificate");
    if (!socket.authorized) {
      // Node has OpenSSL's name of the reason here, whatever the types say.
      const why = String(socket.authorizationError);
      const code = why === "CERT_HAS_EXPIRED" ? "expired-certificate" : "foreign-certificate";
      throw refused(code, `the caller's certificate is not good: ${why}`, { why });
    }
    const issuer = this.#authorities.find(({ certificate }) => {
      return shown.checkIssued(certificate) && shown.verify(certificate.publicKey);
    });
    if (issuer === undefined)
      throw refused("foreign-certificate", "no organisation's authority issued the certificate");
    return { address: issuer.address, until: Date.parse(shown.validTo) };
  }
}

function parse(address: Address, pem: PEM): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new VeilgridError("bad-certificate", `the certificate authority of ${address} cannot be read`, {
      facts: { address },
      blame: "operator",
      cause,
    });
  }
}
