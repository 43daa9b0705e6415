import { readFile } from "node:fs/promises"
import type { Manifest } from "./build-manifests.ts"

interface Role extends Manifest {
  rules: { apiGroups: string[]; resources: string[]; verbs: string[] }[]
}

interface Binding extends Manifest {
  roleRef: { kind: string; name: string }
  subjects: { kind: string; name: string; namespace: string }[]
}

interface AuditEvent {
  verb: string
  user: { username: string }
  objectRef?: { resource: string; namespace?: string; subresource?: string }
  requestURI: string
  annotations?: Record<string, string>
}

/** What accounts did: `verb resource namespace` for each right that let a request in, and each that was refused. */
export interface RightsUsed {
  used: Set<string>
  refused: Set<string>
}

/** The rights that RoleBindings give to an account, each `verb resource namespace`. */
export function rightsGranted(manifests: readonly Manifest[], account: string): Set<string> {
  const granted = new Set<string>()
  for (const binding of manifests.filter(isBinding)) {
    const given = binding.subjects.some(({ namespace, name }) => `${namespace}/${name}` === account)
    if (!given) continue
    for (const [resource, verb] of rulesOf(manifests, binding)) {
      granted.add(`${verb} ${resource} ${binding.metadata.namespace ?? "*"}`)
    }
  }
  return granted
}

function isBinding(manifest: Manifest): manifest is Binding {
  return manifest.kind === "RoleBinding" || manifest.kind === "ClusterRoleBinding"
}

function rulesOf(manifests: readonly Manifest[], { roleRef, metadata }: Binding): [string, string][] {
  const roles = manifests.filter(
    ({ kind, metadata: { name, namespace } }) =>
      kind === roleRef.kind &&
      name === roleRef.name &&
      (kind === "ClusterRole" || namespace === metadata.namespace),
  ) as Role[]
  if (roles.length !== 1) throw new Error(`${metadata.name} binds ${roleRef.name}: ${roles.length} roles`)
  return roles.flatMap(({ rules }) =>
    rules.flatMap(({ resources, verbs }) =>
      resources.flatMap((resource) => verbs.map((verb): [string, string] => [resource, verb])),
    ),
  )
}

/** Reads an audit log for what the service account NAMESPACE/NAME did. */
export async function rightsUsed(auditFile: string, account: string): Promise<RightsUsed> {
  const user = `system:serviceaccount:${account.replace("/", ":")}`
  const rights: RightsUsed = { used: new Set(), refused: new Set() }
  const lines = (await readFile(auditFile, "utf8")).split("\n").filter((line) => line !== "")
  for (const event of lines.map((line) => JSON.parse(line) as AuditEvent)) {
    if (event.user.username !== user) continue
    const { resource, namespace = "*", subresource } = event.objectRef ?? { resource: event.requestURI }
    const right = `${event.verb} ${[resource, subresource].filter(Boolean).join("/")} ${namespace}`
    const decision = event.annotations?.["authorization.k8s.io/decision"]
    if (decision === "allow") rights.used.add(right)
    else rights.refused.add(right)
  }
  return rights
}
