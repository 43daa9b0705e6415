import { join } from "node:path"
import { dump, load } from "js-yaml"
import type { Manifest } from "../deployment/build-manifests.ts"

/** The volume that a sidecar and its consumer share. */
const CONFIG = "/config/"
/** A hook that takes as long as `hold` is there, and vetoes while `veto` is. */
const HELD = {
  exec: ["sh", "-c", `while [ -e ${CONFIG}hold ]; do sleep 0.2; done; [ ! -e ${CONFIG}veto ]`],
  timeout: "5m",
}

interface PodSpec {
  hostNetwork?: boolean
  containers: { args?: string[]; ports?: object[]; imagePullPolicy?: string }[]
  volumes: { hostPath?: { path: string } }[]
}

/**
 * A manifest as this node runs it: in the node's network, which alone leads anywhere, so one plugin in place of two,
 * and at the node's address; the repository and the folder of this machine.
 */
export function forThisNode(
  manifest: Manifest,
  { ip, url, disk }: { ip: string; url: string; disk: string },
): Manifest {
  const text = JSON.stringify(manifest)
    .replaceAll("=0.0.0.0:", `=${ip}:`)
    .replaceAll('"path":"/var/lib/headrace"', `"path":${JSON.stringify(join(disk, "lib"))}`)
    .replaceAll('"path":"/run/headrace"', `"path":${JSON.stringify(join(disk, "run"))}`)
  const fitted = JSON.parse(text) as Manifest
  if (fitted.kind === "ConfigMap") return withSettings(fitted, ip, url)
  if (fitted.kind === "Deployment")
    Object.assign(fitted.spec as object, { replicas: 1, strategy: { type: "Recreate" } })
  const spec = podSpecOf(fitted)
  if (spec) spec.hostNetwork = true
  return fitted
}

function podSpecOf({ kind, spec }: Manifest): PodSpec | undefined {
  const { template, jobTemplate } = (spec ?? {}) as {
    template?: { spec: PodSpec }
    jobTemplate?: { spec: { template: { spec: PodSpec } } }
  }
  if (kind === "Pod") return spec as PodSpec
  return template?.spec ?? jobTemplate?.spec.template.spec
}

function withSettings(manifest: Manifest, ip: string, url: string): Manifest {
  const data = Object.entries(manifest.data as Record<string, string>).map(([key, text]) => {
    const settings = load(text) as {
      sources?: { release: object }
      listen?: string
      projections?: { "job-config": { path: string; from: object[] } }
    }
    if (settings.listen) settings.listen = settings.listen.replace("0.0.0.0", ip)
    if (settings.sources) {
      Object.assign(settings.sources.release, {
        url,
        repo: "openshift/release",
        rules: "rules.yaml",
        poll: "5s",
      })
    }
    const shown = settings.projections?.["job-config"]
    shown?.from.push({ configMap: "ci/more" })
    if (shown?.path.startsWith(CONFIG)) Object.assign(shown, { before: [HELD] })
    return [key, dump(settings)]
  })
  return { ...manifest, data: Object.fromEntries(data) }
}

/** A Pod with one container, `reader`, which mounts one volume. */
function readingPod(
  name: string,
  { command, mount, volume }: { command: string[]; mount: object; volume: object },
): Manifest {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "ci" },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        { name: "reader", image: "busybox:1.37", command, volumeMounts: [{ name: "shown", ...mount }] },
      ],
      volumes: [{ name: "shown", ...volume }],
    },
  }
}

/** A Pod that mounts the three ConfigMaps as one volume of the kubelet's. */
export const KUBELET_POD: Manifest = readingPod("kubelet-mounts", {
  command: ["sleep", "1000000"],
  mount: { mountPath: "/all" },
  volume: {
    projected: {
      sources: ["job-config-master", "step-registry", "more"].map((name) => ({ configMap: { name } })),
    },
  },
})

/** A consumer of the node's agent: it reads a file all the while and prints what it could not read, and each 20th look. */
export const READER_POD: Manifest = readingPod("reader", {
  command: [
    "sh",
    "-c",
    `n=0; while :; do
  text=$(cat /shown/job-config/a.yaml 2>&1) && [ -n "$text" ] || echo "unreadable: $text"
  n=$((n+1)); [ $((n % 20)) != 0 ] || echo "looks $n"
  sleep 0.05
done`,
  ],
  mount: { mountPath: "/shown", readOnly: true },
  volume: { hostPath: { path: "/var/lib/headrace" } },
})
