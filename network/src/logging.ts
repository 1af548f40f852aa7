/** How Fabric's processes log: what matters, without colours, since it goes to files. */
export const LOGGING = {
  FABRIC_LOGGING_SPEC: "info:grpc=warn:comm.grpc.server=warn",
  FABRIC_LOGGING_FORMAT: "%{time:2006-01-02 15:04:05.000 MST} %{level:.4s} [%{module}] %{shortfunc} -> %{message}",
} as const;
