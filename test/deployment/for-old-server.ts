import type { Manifest } from "./build-manifests.ts"
import { schemaMistakes } from "./published-kinds.ts"

/** A manifest as an older API server takes it, and what was changed for that. */
export interface Converted {
  /** Undefined: that server has no such kind. */
  manifest: Manifest | undefined
  /** Undefined: it is as it was. */
  change: string | undefined
}

const RENAMED: Record<string, { since: number; to: string }> = {
  "batch/v1/CronJob": { since: 21, to: "batch/v1beta1" },
  "policy/v1/PodDisruptionBudget": { since: 21, to: "policy/v1beta1" },
}
const ABSENT: Record<string, number> = {
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy": 30,
  "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding": 30,
}
const NATIVE_SIDECARS_SINCE = 29

/**
 * Converts a manifest for Kubernetes 1.`minor`. What is changed or left out is held against its published schema first;
 * throws when it does not fit that.
 */
export function forOldServer(manifest: Manifest, minor: number): Converted {
  const id = `${manifest.apiVersion}/${manifest.kind}`
  const renamed = RENAMED[id]
  if (renamed && minor < renamed.since) {
    checkPublished(manifest)
    return { manifest: { ...manifest, apiVersion: renamed.to }, change: `${id} as ${renamed.to}` }
  }
  if (minor < (ABSENT[id] ?? 0)) {
    checkPublished(manifest)
    return { manifest: undefined, change: `${id} not applied` }
  }
  if (manifest.kind === "Pod" && minor < NATIVE_SIDECARS_SINCE) return withoutNativeSidecars(manifest)
  return { manifest, change: undefined }
}

function checkPublished(manifest: Manifest): void {
  const found = schemaMistakes(manifest)
  if (found.length > 0) throw new Error(`${manifest.kind} ${manifest.metadata.name}: ${found.join("; ")}`)
}

interface PodSpec {
  containers: object[]
  initContainers?: { restartPolicy?: string }[]
}

/** Init containers that go on beside the others become ordinary containers. */
function withoutNativeSidecars(pod: Manifest): Converted {
  const spec = pod.spec as PodSpec
  const { initContainers = [], containers } = spec
  const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always")
  if (sidecars.length === 0) return { manifest: pod, change: undefined }
  checkPublished(pod)
  const beside = sidecars.map(({ restartPolicy: _, ...container }) => container)
  const before = initContainers.filter(({ restartPolicy }) => restartPolicy !== "Always")
  const older = { ...spec, initContainers: before, containers: [...beside, ...containers] }
  return { manifest: { ...pod, spec: older }, change: `${pod.metadata.name}: native sidecar as a container` }
}
