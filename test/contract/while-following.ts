import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import type { EmbeddedKube } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { type FollowOptions, followConfigMaps } from "@headrace/shared/kube/light/follow"
import type { Followed } from "@headrace/shared/kube/light/followed-objects"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import type { TestKube } from "../harness/with-kube.ts"

const log = createLog("test", { level: "silent" })

export interface Following {
  /** The next state in which the names are exactly these, skipping states on the way there. */
  until(names: string[]): Promise<Followed>
  troubles: string[]
}

/** Follows namespace `ci` of a server with the light client while the test runs. */
export async function whileFollowing(
  kube: TestKube,
  test: (following: Following) => Promise<void>,
  options: Partial<FollowOptions> = {},
): Promise<void> {
  const watch = { duration: 20_000, silence: 400 }
  const client = await openLightClient({ kubeconfig: kube.kubeconfigFile, log, watch, timeLimit: 500 })
  const stop = new AbortController()
  const troubles: string[] = []
  const states = followConfigMaps(
    client,
    {
      namespace: "ci",
      selection: {},
      backoff: { first: 10, limit: 50 },
      onTrouble: (error) =>
        void troubles.push(error instanceof Error && "code" in error ? String(error.code) : "?"),
      ...options,
    },
    stop.signal,
  )
  async function until(names: string[]): Promise<Followed> {
    const wanted = names.map((name) => `ci/${name}`).sort()
    for (;;) {
      const { value, done } = await states.next()
      if (done || !value) throw new Error("following ended")
      if ([...value.objects.keys()].sort().join() === wanted.join()) return value
    }
  }
  try {
    await test({ until, troubles })
  } finally {
    stop.abort()
    await states.return(undefined)
    client.close()
  }
}

/** Creates a ConfigMap in `ci`. */
export function put(kube: TestKube, name: string): void {
  kube.store.create(CONFIG_MAPS, "ci", { metadata: { name }, data: { a: "1" } })
}

/** A server with its kubeconfig on disk. */
export async function withKubeconfig(
  kube: EmbeddedKube,
  test: (kube: TestKube) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "headrace-follow-"))
  try {
    const kubeconfigFile = join(folder, "kubeconfig")
    await writeFile(kubeconfigFile, kube.kubeconfig)
    await test({ ...kube, kubeconfigFile })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
