/** How to reach a cluster and who to be there. */
export interface ClusterAccess {
  /** `https://host:port[/path]`; plain `http:` for an embedded server or kubectl proxy. */
  server: URL
  tls: TlsIdentity
  /** The HTTP proxy on the way to it; undefined: none. */
  proxy?: URL | undefined
  /** Gives what a request needs now; re-reads files and runs plugins as needed. */
  credential(): Promise<Credential>
  /** The server has refused the last credential: the next one must be fresh. */
  refuse(): void
}

/** What is fixed for the life of a connection; PEM text or bytes. */
export interface TlsIdentity {
  ca?: string | Buffer
  servername?: string
  rejectUnauthorized?: boolean
}

export interface Credential {
  /** Value of the Authorization header; undefined: none. */
  authorization?: string
  /** Value of the Impersonate-User header: the server is asked to act with that user's rights. */
  impersonateUser?: string
  /** Client certificate and key, PEM. */
  cert?: string | Buffer
  key?: string | Buffer
}
