import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { EmbeddedKubeOptions } from "@headrace/config/local/embedded-kube/start-embedded-kube"
import { type BootstrapperRun, runBootstrapper } from "./run-bootstrapper.ts"
import { type TestKube, withKube } from "./with-kube.ts"
import { type TestRepo, withRepo } from "./with-repo.ts"

/** What an operator works with: a repository, a cluster `east`, and a settings file that names them. */
export interface Operator {
  repo: TestRepo
  kube: TestKube
  /** Path of the operator's file, with the repository as source `release`. */
  config: string
  /** Rewrites the operator's file, with these members in place of the usual ones. */
  writeConfig(members: { [member: string]: unknown }): Promise<void>
  /** Runs headrace-bootstrapper with that file. */
  run(...args: string[]): Promise<BootstrapperRun>
  /** The same, with its output read as JSON: one entry per place. */
  runJson(...args: string[]): Promise<{ code: number; places: { [member: string]: unknown }[] }>
}

/** Runs a test with an operator of its own. The guard has no floor, so that deleting one key of few trips it. */
export async function withOperator<T>(
  test: (operator: Operator) => Promise<T>,
  options: EmbeddedKubeOptions = {},
): Promise<T> {
  return withKube(
    (kube) =>
      withRepo(async (repo) => {
        const config = join(repo.scratch, "headrace.yaml")
        const usual = {
          version: 1,
          sources: { release: { url: repo.folder, branch: repo.branch, rules: "rules.yaml" } },
          clusters: { east: { kubeconfig: kube.kubeconfigFile, namespaces: ["*"] } },
          guard: { atLeast: 0 },
          mirrors: join(repo.scratch, "mirrors"),
        }
        const writeConfig = (members: object) => writeFile(config, JSON.stringify({ ...usual, ...members }))
        await writeConfig({})
        const run = (...args: string[]) => runBootstrapper([...args, "--config", config])
        async function runJson(...args: string[]) {
          const { code, stdout } = await run(...args, "-o", "json")
          const parsed = stdout ? JSON.parse(stdout) : []
          return { code, places: parsed.clusterSources ?? parsed }
        }
        return test({ repo, kube, config, writeConfig, run, runJson })
      }),
    options,
  )
}
