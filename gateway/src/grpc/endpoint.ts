import { isIP } from "node:net";
import { checkServerIdentity, createSecureContext, type SecureContext } from "node:tls";
import { Client, credentials, type ChannelOptions } from "@grpc/grpc-js";
import { MAX_INPUT_BYTES } from "@veilgrid/protocol";
import type { Identity, PEM } from "./authority.js";

/** Where a party is on the network. */
export interface Endpoint {
  /** "host:port". */
  readonly target: string;
  /** The certificate authority that signed the server's certificate. */
  readonly authority: PEM;
  /** The name in it; the target's host if not given. */
  readonly serverName?: string;
}

/** What TLS is told instead of an address, which RFC 6066 does not allow. */
const NO_NAME = "veilgrid.invalid";
/** A response has a tag and may have several inputs in it. */
const LARGEST_RESPONSE = 2 * MAX_INPUT_BYTES;

/** The host and port of a target: "host:port", or "[IPv6 address]:port". */
export function splitTarget(target: string): { readonly host: string; readonly port: number } {
  const at = target.lastIndexOf(":");
  return { host: target.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(target.slice(at + 1)) };
}

/** What TLS starts from: who is trusted, and as whom one calls. */
export function trusting(authority: PEM, identity?: Identity): SecureContext {
  const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key };
  return createSecureContext({ ca: authority, minVersion: "TLSv1.3", ...own });
}

/** A gRPC channel to an endpoint, connected when it is first used. @param through another target on the way there. */
export function connect(endpoint: Endpoint, context: SecureContext, options: ChannelOptions, through?: string): Client {
  const name = endpoint.serverName ?? splitTarget(endpoint.target).host;
  // Whatever name TLS is told, the certificate must have this one.
  const tls = credentials.createFromSecureContext(context, {
    checkServerIdentity: (_told, certificate) => checkServerIdentity(name, certificate),
  });
  return new Client(through ?? endpoint.target, tls, {
    "grpc.ssl_target_name_override": isIP(name) === 0 ? name : NO_NAME,
    "grpc.default_authority": name,
    "grpc.max_receive_message_length": LARGEST_RESPONSE,
    "grpc.max_send_message_length": LARGEST_RESPONSE,
    // The environment sends nobody anywhere else, nor does DNS.
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    // Stock, channels of one process share connections: here each has its own.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_channelz": 0,
    "grpc.enable_retries": 0,
    ...options,
  });
}
