import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { loadAll } from "js-yaml"
import { describe, expect, it } from "vitest"
import { whySkipped } from "../harness/why-skipped.ts"
import { buildManifests, kubectlMissing } from "./build-manifests.ts"
import { excessOf, ourContainers, podSpecs, type SecuredPod } from "./pod-security.ts"

const CONFIG = join(import.meta.dirname, "../../config")
const RENDERED = [
  "base",
  "overlays/example",
  "overlays/production",
  "overlays/example-remote",
  "overlays/openshift",
]
const missing = kubectlMissing()

describe("containers of ours", () => {
  it("have no capability, no way to gain one, a read-only image and a seccomp profile, in every manifest", () => {
    const files = globSync("{base,samples}/**/*.yaml", { cwd: CONFIG })
    const pods = files.flatMap((file) => podSpecs(loadAll(readFileSync(join(CONFIG, file), "utf8"))))

    expect(excessIn(pods)).toEqual([])
    expect(imagesIn(pods)).toEqual(["agent", "bootstrapper", "plugin"])
  })

  it.skipIf(missing)(`have none as kustomize renders them${whySkipped(missing)}`, async () => {
    for (const folder of RENDERED) {
      const pods = podSpecs(await buildManifests(folder))

      expect(excessIn(pods), folder).toEqual([])
      expect(imagesIn(pods).length, folder).toBeGreaterThan(0)
    }
  })

  it("would be seen to have more", () => {
    const good = {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
      capabilities: { drop: ["ALL"] },
    }
    const excess = (image: string, change: object) =>
      excessIn([{ containers: [{ name: "x", image, securityContext: { ...good, ...change } }] }])

    expect(excess("headrace/plugin:1", {})).toEqual([])
    expect(excess("headrace/plugin:1", { capabilities: { drop: ["ALL"], add: ["CHOWN"] } })).toEqual([
      "x adds CHOWN",
    ])
    expect(excess("mirror.example/headrace/plugin:1", { capabilities: {} })).toEqual(["x keeps capabilities"])
    expect(excess("headrace/plugin:1", { runAsNonRoot: false })).toEqual(["x may run as root"])
    expect(excess("headrace/agent:1", { runAsNonRoot: false })).toEqual([])
    expect(excess("headrace/agent:1", { seccompProfile: { type: "Unconfined" } })).toHaveLength(1)
    expect(excess("headrace/agent:1", { privileged: true, readOnlyRootFilesystem: false })).toHaveLength(2)
    const containers = [{ name: "x", image: "headrace/agent:1", securityContext: good }]
    expect(excessIn([{ hostPID: true, containers }])).toEqual(["x shares the node's namespaces"])
  })
})

function excessIn(pods: readonly SecuredPod[]): string[] {
  return pods.flatMap((pod) => ourContainers(pod).flatMap((container) => excessOf(pod, container)))
}

function imagesIn(pods: readonly SecuredPod[]): string[] {
  const images = pods
    .flatMap(ourContainers)
    .map(({ image }) => /headrace\/([a-z]+)/.exec(image ?? "")?.[1] ?? "")
  return [...new Set(images)].sort()
}
