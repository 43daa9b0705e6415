/** A Lease as its readers need it. */
export interface Lease {
  namespace: string
  name: string
  annotations: Readonly<Record<string, string>>
  /** Whose it is; undefined: nobody's. */
  holder: string | undefined
  /** When it was last renewed, in milliseconds since 1970; undefined: never. */
  renewed: number | undefined
  /** For how long a renewal counts, in milliseconds. */
  duration: number
}

/** Leases of one cluster, to read. */
export interface LeaseReader {
  /** Those of a namespace that a Kubernetes label selector matches. Throws KubeError. */
  listLeases(namespace: string, labelSelector: string, signal?: AbortSignal): Promise<Lease[]>
}
