import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it } from "vitest"
import { buildManifests, kubectlProgram } from "../deployment/build-manifests.ts"
import { forOldServer } from "../deployment/for-old-server.ts"
import { applyManifests, kubectl } from "../deployment/kubectl.ts"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { withFolder } from "../harness/with-folder.ts"
import { kubeNodeMissing, startKubeNode } from "./kube-node.ts"

const run = promisify(execFile)
const missing = kubeNodeMissing()
const PAGE = readFileSync(join(import.meta.dirname, "../../docs/how-to/add-a-cluster.md"), "utf8")
const SECRET = ["--namespace=headrace", "get", "secret", "headrace-writer-token"]

/** The block of commands of docs/how-to/add-a-cluster.md that holds a text. */
function commandBlock(text: string): string {
  const blocks = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block)
  const found = blocks.filter((block) => block.includes(text))
  expect(found).toHaveLength(1)
  return found[0] ?? ""
}

describe.skipIf(missing)(`a remote cluster${whySkipped(missing)}`, { timeout: 900_000 }, () => {
  it("gives the home cluster a kubeconfig by the commands of docs/how-to/add-a-cluster.md, with the writer's rights alone", async () => {
    const node = await startKubeNode()
    try {
      const manifests = await buildManifests("overlays/example-remote")
      await applyManifests(
        node.kubeconfig,
        manifests.flatMap((one) => forOldServer(one, 20).manifest ?? []),
      )
      await until(
        async () => (await kubectl(node.kubeconfig, ...SECRET, "--output=jsonpath={.data.token}")) !== "",
      )
      await withFolder(async (folder) => {
        const path = `${dirname(kubectlProgram())}:${process.env.PATH}`
        const env = { ...process.env, KUBECONFIG: node.kubeconfig, PATH: path }
        await run("bash", ["-euo", "pipefail", "-c", commandBlock("set-cluster")], { cwd: folder, env })
        const writer = join(folder, "build01.kubeconfig")
        const may = (verb: string, resource: string, namespace: string) =>
          kubectl(writer, "auth", "can-i", verb, resource, `--namespace=${namespace}`).then(
            (text) => text.trim(),
            (error: { stdout: string }) => error.stdout.trim(),
          )
        expect(await may("create", "configmaps", "headrace-store")).toBe("yes")
        expect(await may("update", "configmaps", "ocp")).toBe("yes")
        expect(await may("update", "configmaps", "headrace")).toBe("no")
        expect(await may("get", "secrets", "headrace")).toBe("no")
      })
    } finally {
      await node.stop()
    }
  })
})
