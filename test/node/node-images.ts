import { mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { makeBusyboxRoot, makeImageRoot } from "./image-root.ts"
import type { KubeNode } from "./kube-node.ts"

const ROOT = join(import.meta.dirname, "../..")

const PROGRAMS = ["agent", "plugin", "bootstrapper"]

/** Gives a node the images that the manifests name; without an image registry they are made here. */
export async function giveImages(node: KubeNode, programs: readonly string[] = PROGRAMS): Promise<void> {
  const work = await mkdtemp(join(ROOT, ".cache/node-image-"))
  try {
    await makeImageRoot(join(work, "programs"))
    for (const program of programs) {
      await node.image(`headrace/${program}:0.1.0`, join(work, "programs"), `headrace-${program}`)
    }
    await makeBusyboxRoot(join(work, "busybox"))
    await node.image("busybox:1.37", join(work, "busybox"))
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
