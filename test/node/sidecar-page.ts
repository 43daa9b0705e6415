import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { dump, loadAll } from "js-yaml"
import { expect } from "vitest"
import type { Manifest } from "../deployment/build-manifests.ts"
import { forOldServer } from "../deployment/for-old-server.ts"
import { linesUnder } from "../docs/typed-lines.ts"
import { openShell } from "../harness/open-shell.ts"
import type { KubeNode } from "./kube-node.ts"

const PAGE = "docs/how-to/sidecar.md"
const ROOT = join(import.meta.dirname, "../..")
/** The node's version of Kubernetes, 1.20. */
const MINOR = 20

/**
 * A developer types docs/how-to/sidecar.md in a clone, with an empty HOME but for a kubeconfig, until the Pod shows the
 * files; then the Pod goes. `fit` brings a manifest to this node's network. Prints what each line printed.
 */
export async function typeSidecarPage(node: KubeNode, fit: (manifest: Manifest) => Manifest): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), "headrace-developer-"))
  try {
    const clone = join(home, "headrace")
    await mkdir(clone)
    await symlink(join(ROOT, "config"), join(clone, "config"))
    await mkdir(join(home, ".kube"))
    await writeFile(join(home, ".kube/config"), await readFile(node.kubeconfig))
    const type = await openShell({ cwd: clone, home })
    async function typeAll(lines: readonly string[]): Promise<string> {
      let printed = ""
      for (const line of lines) {
        const { code, text } = await type(line)
        process.stdout.write(`$ ${line}\n${text}`)
        expect(code, `${line}\n${text}`).toBe(0)
        printed += text
      }
      return printed
    }
    const lines = linesUnder(PAGE, "2. Check it, and apply it")
    await typeAll(linesUnder(PAGE, "1. Copy the sample"))
    await fitPod(join(clone, "my-app/headrace/pod.yaml"), fit)
    await typeAll(lines)
    const shown =
      "kubectl --namespace ci exec with-sidecar --container consumer -- cat /config/job-config/a.yaml"
    expect(await typeAll([shown])).not.toBe("")
    await typeAll(["kubectl --namespace ci delete --wait pod with-sidecar"])
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** What the page has a developer change, for a cluster before 1.29 and this node's network. */
async function fitPod(file: string, fit: (manifest: Manifest) => Manifest): Promise<void> {
  const pods = loadAll(await readFile(file, "utf8")) as Manifest[]
  const fitted = pods.map((pod) => fit(forOldServer(pod, MINOR).manifest ?? pod))
  await writeFile(file, fitted.map((pod) => dump(pod)).join("---\n"))
}
