/** A name that every certificate has here: TLS takes no IP address for one (RFC 6066). */
export const SERVER_NAME = "localhost";
