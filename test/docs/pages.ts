import { cp, mkdir, readdir, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { openProjection } from "@headrace/agent/publish/open-projection"
import { runBootstrapper } from "../harness/run-bootstrapper.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withKube } from "../harness/with-kube.ts"
import { projectionOptions, revisionOf } from "../harness/with-projection.ts"
import { type Changes, testGitEnvironment, withRepo } from "../harness/with-repo.ts"
import { isLongForm, withPrograms } from "./programs.ts"
import type { ReaderPlace } from "./reader.ts"

const ROOT = join(import.meta.dirname, "../..")
/** What a reader's clone has of its own, or has not. */
const NOT_CLONED = ["node_modules", ".git", ".cache", ".turbo"]

type Site = (use: (place: ReaderPlace) => Promise<void>) => Promise<void>

/** The pages whose command blocks a reader types from the first to the last, and where. */
export const PAGES: Readonly<Record<string, Site>> = {
  "README.md": withEvaluatorsClone,
  "docs/tutorial.md": withNewcomersClone,
  "docs/how-to/sidecar.md": withNewcomersClone,
  "docs/how-to/roll-back.md": withOperatorsPlace,
  "docs/how-to/restore.md": withOperatorsPlace,
  "docs/how-to/status.md": withOperatorsPlace,
  "docs/how-to/remove.md": withOperatorsPlace,
  "docs/how-to/sign-records.md": withOperatorsPlace,
  "agent/README.md": withOperatorsPlace,
  "bootstrapper/README.md": withOperatorsPlace,
}

const RULES = `config_updater:
  cluster_groups:
    all: {clusters: [app.ci, build01], namespaces: [ci]}
  maps:
    "jobs/*.yaml": {name: job-config, cluster_groups: [all]}
    "config/*.yaml": {name: config, cluster_groups: [all]}
`
const COMMITS: Changes[] = [
  { "plugins.yaml": RULES, "jobs/a.yaml": "a: 1\n", "jobs/b.yaml": "b: 1\n", "jobs/c.yaml": "c: 1\n" },
  { "config/site.yaml": "site: 1\n" },
  { "jobs/a.yaml": "a: 2\n" },
]

/** In a clone of this repository, `~/headrace`, and nothing else. */
function withNewcomersClone(use: (place: ReaderPlace) => Promise<void>): Promise<void> {
  return withPrograms((bin) =>
    withFolder(async (folder) => {
      const home = join(folder, "home")
      const start = join(home, "headrace")
      await makeClone(start, bin)
      await use({ home, start, env: pathWith(bin), replaced: [["/tmp/node", join(folder, "node")]] })
    }),
  )
}

/** The same, with a repository of configuration beside the clone. */
function withEvaluatorsClone(use: (place: ReaderPlace) => Promise<void>): Promise<void> {
  return withNewcomersClone((place) =>
    withRepo(async (repo) => {
      const rules = RULES.replaceAll("[app.ci, build01]", "[default]")
      await repo.commit({ "config/prow/plugins.yaml": rules, "config/site.yaml": "site: 1\n" })
      await cp(repo.folder, join(place.home, "my-config"), { recursive: true })
      await use(place)
    }),
  )
}

/** This checkout as a clone of it: what is built or installed is the test's own, or in the long form this checkout's. */
async function makeClone(clone: string, bin: string): Promise<void> {
  const linked = (await readdir(ROOT)).filter((name) => !NOT_CLONED.includes(name))
  await mkdir(join(clone, "node_modules"), { recursive: true })
  for (const name of linked) await symlink(join(ROOT, name), join(clone, name))
  const from = isLongForm ? join(ROOT, "node_modules/.bin") : bin
  await symlink(from, join(clone, "node_modules/.bin"))
}

/** An operator in the repository, with headrace.yaml beside its files; every cluster is at the tip. */
function withOperatorsPlace(use: (place: ReaderPlace) => Promise<void>): Promise<void> {
  return withPrograms((bin) =>
    withKube((appCi) =>
      withKube((build01) =>
        withRepo(async (repo) => {
          for (const changes of COMMITS) await repo.commit(changes)
          const settings = {
            version: 1,
            sources: { release: { url: repo.folder, branch: repo.branch, rules: "plugins.yaml" } },
            clusters: {
              "app.ci": { kubeconfig: appCi.kubeconfigFile, namespaces: ["ci"], store: false },
              build01: { kubeconfig: build01.kubeconfigFile, namespaces: ["ci"], store: false },
            },
            mirrors: join(repo.scratch, "mirrors"),
          }
          await writeFile(join(repo.folder, ".git/info/exclude"), "headrace.yaml\n")
          await writeFile(join(repo.folder, "headrace.yaml"), JSON.stringify(settings))
          await runBootstrapper(["apply", "--config", "headrace.yaml", "--direct"], repo.folder)
          await publishTwice(join(repo.scratch, "job-config"))
          const home = join(repo.scratch, "home")
          const replaced = ["/var/lib/headrace", "/srv"].map((path) => [path, repo.scratch] as const)
          await use({ home, start: repo.folder, env: { ...testGitEnvironment, ...pathWith(bin) }, replaced })
        }),
      ),
    ),
  )
}

async function publishTwice(path: string): Promise<void> {
  const projection = await openProjection(projectionOptions(path))
  await projection.publish(revisionOf(1, { a: "one" }))
  await projection.publish(revisionOf(2, { a: "two" }))
  await projection.close()
}

function pathWith(bin: string): Record<string, string> {
  const others = (process.env.PATH ?? "").split(":").filter((folder) => !folder.includes("node_modules"))
  // On a machine with a dozen times the work that it can do, two seconds are no time to answer in.
  const patience = { HEADRACE_ANSWER_LIMIT: "60s" }
  return { PATH: [bin, ...others].join(":"), GIT_CONFIG_NOSYSTEM: "1", ...patience }
}
