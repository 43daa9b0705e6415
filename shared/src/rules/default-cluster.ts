/** Prow's word for the cluster that it runs in; the operator configures what it means. */
export const DEFAULT_CLUSTER = "default"
