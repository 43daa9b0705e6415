import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { answerDeliveries } from "@headrace/plugin/deliveries/answer-deliveries"
import { openDeliveryBook } from "@headrace/plugin/deliveries/keep-deliveries"
import { outcomeSeals } from "@headrace/plugin/deliveries/outcome-seals"
import { type GitHub, logInToGitHub } from "@headrace/plugin/github/log-in"
import { type MergeReports, reportMerges } from "@headrace/plugin/github/report-merges"
import type { LaneResult } from "@headrace/shared/lanes/lane-outcome"
import { type Lanes, openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import type { TouchedTarget } from "@headrace/shared/plan/touched-keys"
import type { CommitVerdict } from "@headrace/shared/status/judge-commit"
import { expect } from "vitest"
import { type FakeComment, type FakeGitHub, withFakeGitHub } from "./fake-github.ts"
import { newApp } from "./fake-github-logins.ts"
import { withFolder } from "./with-folder.ts"
import { withRedis } from "./with-redis.ts"

const SEALS = outcomeSeals(undefined)
const log = createLog("test", { level: "silent" })
export const CLUSTERS = ["app.ci", "build01", "build02"]
export const SHA = "a".repeat(40)
export const APPLIED: LaneResult = { result: "applied", commit: SHA, failed: [], error: null }

export interface MergeScene {
  github: FakeGitHub
  lanes: Lanes
  /** Two plugins' reports, as they run side by side. */
  reports: MergeReports[]
  /** A delivery of merge `pull` arrives. */
  merge(pull: number, guid?: string): Promise<void>
  /** A cluster's lane came to this, worked by plugin 0 or 1. */
  answer(cluster: string, result?: LaneResult, plugin?: number): Promise<void>
  /** What nodes show: true when the cluster's one node shows the merge. It follows the cluster's answer unless it is held. */
  nodes: Map<string, boolean>
  /** Clusters whose node does not follow. */
  heldNodes: Set<string>
  /** Clusters that a rollout has returned the merge from. */
  returned: Set<string>
  /** Starts one more plugin's reports; gives its number. */
  another(): number
}

/**
 * Runs `fn` with the reports of two plugins, a fake GitHub and a real Redis; afterwards GitHub must not have
 * complained. `app`: they log in as a GitHub App, otherwise by token.
 */
export function withMergeReports(
  fn: (scene: MergeScene) => Promise<void>,
  { app = false }: { app?: boolean } = {},
): Promise<void> {
  return withFolder((folder) =>
    withRedis((redis) =>
      withFakeGitHub(async (github) => {
        github.files = [{ filename: "config.yaml", status: "modified" }]
        const lanes = await openLanes({ redis: redis.url, log })
        const login = await (app ? logInAsApp(github, folder) : logInByToken(github, folder))
        if (login === undefined) throw new Error("there are credentials")
        const nodes = new Map<string, boolean>()
        const returned = new Set<string>()
        const open = () =>
          reportMerges({
            settings: { comment: true, status: true, deployments: true },
            github: login,
            lanes,
            clusters: CLUSTERS,
            sourcesOf: (repo, branch) =>
              repo === "openshift/release" && branch === "main" ? ["release"] : [],
            seals: SEALS,
            touched: async (_source, _merge, paths) => touchedBy(paths),
            verdicts: async (source, shas) => {
              if (source !== "release") throw new Error(`there is no source ${source}`)
              return new Map(shas.map((sha) => [sha, verdictsOf(nodes, returned)]))
            },
            look: 20,
            pace: 20,
            gather: 20,
            backoff: 50,
            log,
          })
        const reports = [open(), open()]
        try {
          await fn({ ...scene(github, lanes, reports, open, nodes), returned })
          expect(github.complaints).toEqual([])
        } finally {
          await Promise.all(reports.map((one) => one.close()))
          await lanes.close()
        }
      }),
    ),
  )
}

async function logInByToken({ logins, apiUrl }: FakeGitHub, folder: string): Promise<GitHub | undefined> {
  const tokenFile = join(folder, "token")
  await writeFile(tokenFile, `${logins.token}\n`)
  return logInToGitHub({ tokenFile, apiUrl: `${apiUrl}/` })
}

async function logInAsApp({ logins, apiUrl }: FakeGitHub, folder: string): Promise<GitHub | undefined> {
  logins.app = newApp()
  const { appId, installationId, privateKey } = logins.app
  const privateKeyFile = join(folder, "app.pem")
  await writeFile(privateKeyFile, privateKey)
  return logInToGitHub({ githubApp: { appId, installationId, privateKeyFile }, apiUrl })
}

function scene(
  github: FakeGitHub,
  lanes: Lanes,
  reports: MergeReports[],
  open: () => MergeReports,
  nodes: MergeScene["nodes"],
): Omit<MergeScene, "returned"> {
  const heldNodes = new Set<string>()
  const book = openDeliveryBook(lanes)
  return {
    github,
    lanes,
    reports,
    nodes,
    heldNodes,
    async merge(pull, guid = `merge-${pull}`) {
      const sha = pull === 7 ? SHA : String(pull).padStart(40, "0")
      const name = `openshift/release#${pull}`
      if (!github.pulls.has(name)) github.pulls.set(name, { merged: true, sha, branch: "main" })
      await book.note(
        { guid, event: "pull_request", repo: "openshift/release", branch: "main", sha, pull },
        ["release"],
        CLUSTERS,
      )
    },
    async answer(cluster, result = APPLIED, plugin = 0) {
      const contained = async (_: string, shas: readonly string[]) => new Set(shas)
      const guids = await answerDeliveries(lanes, cluster, "release", result, { contained, seals: SEALS })
      if (result.result === "applied") nodes.set(cluster, !heldNodes.has(cluster))
      await reports[plugin]?.notify(guids)
    },
    another: () => reports.push(open()) - 1,
  }
}

/** One node in each cluster: it shows the merge, or the cluster's record has it, or neither. */
function verdictsOf(
  nodes: MergeScene["nodes"],
  returned: MergeScene["returned"],
): Map<string, CommitVerdict> {
  return new Map(
    CLUSTERS.map((cluster) => {
      const isBack = returned.has(cluster)
      const live = nodes.get(cluster) === true && !isBack
      const count = { live: live ? 1 : 0, total: 1, behind: [], silent: [], gone: 0 }
      const reasons = live ? [] : ["node-1: shows nothing"]
      const recorded = nodes.has(cluster) && !isBack
      const verdict = { shows: null, recorded, nodes: count, live, failed: [], reasons }
      return [cluster, isBack ? { ...verdict, rejected: REJECTED } : verdict]
    }),
  )
}

function touchedBy(paths: readonly string[]): TouchedTarget[] {
  if (!paths.includes("config.yaml")) return []
  const file = { path: "config.yaml", oid: "0", size: 1, executable: false }
  const keys = new Map([["config.yaml", { key: "config.yaml", file, gzip: false }]])
  return CLUSTERS.map((cluster) => ({ target: { cluster, namespace: "ci", name: "config" }, keys }))
}

const REJECTED = { commit: SHA, code: "rollout/node-failed", reason: "node n1: http[0]: answered 500" }

export const PULL = "openshift/release#7"

/** The comments on a pull request, oldest first. */
export function comments(github: FakeGitHub, pull = PULL): FakeComment[] {
  return github.comments.get(pull) ?? []
}
