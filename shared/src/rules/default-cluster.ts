/** Prow's word for the cluster that it runs in; what it stands for is the operator's to say. */
export const DEFAULT_CLUSTER = "default"
