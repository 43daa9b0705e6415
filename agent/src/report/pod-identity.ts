/** A pod as an owner reference names it. */
export interface PodIdentity {
  name: string
  uid: string
}

/**
 * The pod that we are, by the environment that its manifest sets from the downward API. Undefined when that is not
 * set, and in another namespace than the Lease's: an owner has to be in the namespace of what it owns, else the
 * garbage collector takes it for gone (Kubernetes, "Owners and Dependents").
 */
export function podIdentity(
  namespace: string,
  environment: NodeJS.ProcessEnv = process.env,
): PodIdentity | undefined {
  const { HEADRACE_POD_NAME: name, HEADRACE_POD_UID: uid, HEADRACE_POD_NAMESPACE: own } = environment
  return name && uid && own === namespace ? { name, uid } : undefined
}
