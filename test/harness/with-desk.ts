import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { EmbeddedKubeOptions } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { type BootstrapperRun, runBootstrapper } from "./run-bootstrapper.ts"
import { type TestKube, withKube } from "./with-kube.ts"
import { type TestRepo, withRepo } from "./with-repo.ts"

/** Where an operator sits: a repository, a cluster `east`, and a settings file that names them. */
export interface Desk {
  repo: TestRepo
  kube: TestKube
  /** Path of the operator's file, with the repository as source `release`. */
  config: string
  /** Rewrites the operator's file, with these members in place of the usual ones. */
  settle(members: { [member: string]: unknown }): Promise<void>
  /** Runs headrace-bootstrapper with that file. */
  run(...args: string[]): Promise<BootstrapperRun>
  /** The same, with its output read as JSON: one entry per place. */
  tell(...args: string[]): Promise<{ code: number; places: { [member: string]: unknown }[] }>
}

/** Runs a test at a desk of its own. The guard has no floor, so that deleting one key of few trips it. */
export async function withDesk<T>(
  test: (desk: Desk) => Promise<T>,
  options: EmbeddedKubeOptions = {},
): Promise<T> {
  return withKube(
    (kube) =>
      withRepo(async (repo) => {
        const config = join(repo.scratch, "headrace.yaml")
        const usual = {
          version: 1,
          sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
          clusters: { east: { kubeconfig: kube.kubeconfigFile } },
          guard: { atLeast: 0 },
          mirrors: join(repo.scratch, "mirrors"),
        }
        const settle = (members: object) => writeFile(config, JSON.stringify({ ...usual, ...members }))
        await settle({})
        const run = (...args: string[]) => runBootstrapper([...args, "--config", config])
        async function tell(...args: string[]) {
          const { code, stdout } = await run(...args, "-o", "json")
          return { code, places: stdout ? JSON.parse(stdout) : [] }
        }
        return test({ repo, kube, config, settle, run, tell })
      }),
    options,
  )
}
