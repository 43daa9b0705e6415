/** A container as a manifest has it. */
export interface SecuredContainer {
  name: string
  image?: string
  securityContext?: {
    privileged?: boolean
    allowPrivilegeEscalation?: boolean
    readOnlyRootFilesystem?: boolean
    runAsNonRoot?: boolean
    seccompProfile?: { type: string }
    capabilities?: { drop?: string[]; add?: string[] }
  }
}

/** A Pod's spec as a manifest has it, wherever it is within a workload. */
export interface SecuredPod {
  containers: SecuredContainer[]
  initContainers?: SecuredContainer[]
  hostPID?: boolean
  hostIPC?: boolean
  hostNetwork?: boolean
  securityContext?: { runAsNonRoot?: boolean; seccompProfile?: { type: string } }
}

/** What an agent on a node needs to give files away and to write below a folder of root's. */
const OF_A_NODES_AGENT = ["CHOWN", "DAC_OVERRIDE", "FOWNER"]

/** Every Pod's spec within an object of Kubernetes, of whatever kind. Pure. */
export function podSpecs(value: unknown): SecuredPod[] {
  if (typeof value !== "object" || value === null) return []
  const inner = Object.values(value).flatMap(podSpecs)
  return "containers" in value && Array.isArray(value.containers) ? [value as SecuredPod, ...inner] : inner
}

/** The containers of a Pod that run a program of ours. */
export function ourContainers({ containers, initContainers = [] }: SecuredPod): SecuredContainer[] {
  return [...initContainers, ...containers].filter(({ image }) => image?.includes("headrace/") === true)
}

/** What a Pod gives a container of ours beyond what it needs, in words; empty: nothing. Pure. */
export function excessOf(
  pod: SecuredPod,
  { name, image = "", securityContext = {} }: SecuredContainer,
): string[] {
  const { capabilities, seccompProfile = pod.securityContext?.seccompProfile } = securityContext
  const isRoot = (securityContext.runAsNonRoot ?? pod.securityContext?.runAsNonRoot) !== true
  const isNodesAgent = image.includes("headrace/agent") && isRoot
  const allowed = isNodesAgent ? OF_A_NODES_AGENT : []
  const added = (capabilities?.add ?? []).filter((one) => !allowed.includes(one))
  const faults: [boolean, string][] = [
    [securityContext.privileged === true, "is privileged"],
    [securityContext.allowPrivilegeEscalation !== false, "may gain privileges"],
    [securityContext.readOnlyRootFilesystem !== true, "may write to its image"],
    [capabilities?.drop?.includes("ALL") !== true, "keeps capabilities"],
    [added.length > 0, `adds ${added.join(", ")}`],
    [seccompProfile?.type !== "RuntimeDefault", "has no seccomp profile RuntimeDefault"],
    [isRoot && !isNodesAgent, "may run as root"],
    [
      pod.hostPID === true || pod.hostIPC === true || pod.hostNetwork === true,
      "shares the node's namespaces",
    ],
  ]
  return faults.flatMap(([isSo, fault]) => (isSo ? [`${name} ${fault}`] : []))
}
