import { once } from "node:events"
import { writeFile } from "node:fs/promises"
import { connect, type Socket } from "node:net"
import { join } from "node:path"
import { sendWebhook } from "@headrace/config/local/signed-webhook"
import { openLanes } from "@headrace/shared/lanes/open-lanes"
import { createLog } from "@headrace/shared/observe/log"
import { Redis } from "ioredis"
import { githubEvent } from "../harness/github-events.ts"
import type { TestRepo } from "../harness/with-repo.ts"

/** What somebody does to a plugin, and by which line of its metrics it names them. */
export interface Step {
  what: string
  /** Gives what ends the attack. */
  attack(scene: Scene): Promise<() => Promise<void> | void>
  named: RegExp
  /** True: the plugin loses Redis for a moment, and comes back by itself while the attack goes on. */
  comesBack?: true
}

export interface Scene {
  repo: TestRepo
  redis: string
  /** Port of webhooks. */
  hook: number
}

/** What the plugin's settings name. */
export const WEBHOOK_SECRET = "secret"
export const GITHUB_REPO = "openshift/release"

const SOCKETS = 2400
const LARGE_BODIES = 12
const MEGABYTE = 2 ** 20

export const RULES = `config_updater:
  maps:
    config/*.yaml: {name: config, clusters: {east: [ci], west: [ci]}}
    large/*: {name: large, view: false, clusters: {east: [ci]}}
`

/** Each is done while those before it are over, and the cluster without end goes on throughout. */
export const STEPS: readonly Step[] = [
  {
    what: "an API server whose answers have no end",
    attack: async () => () => undefined,
    named: breach("answer", "cluster west"),
  },
  {
    what: `${LARGE_BODIES} deliveries of 24 MiB, sent by halves`,
    attack: ({ hook }) => openSockets(hook, LARGE_BODIES, halfBody()),
    named: breach("bodies", "port"),
  },
  {
    what: `${SOCKETS} idle sockets from one address`,
    attack: ({ hook }) => openSockets(hook, SOCKETS, ""),
    named: breach("connectionsPerAddress", "port"),
  },
  {
    what: "a lane that another program has paused in Redis",
    attack: ({ redis }) => inRedis(redis, (lanes) => lanes.queue("east").pause()),
    named: /^headrace_lane_resumes_total\{cluster="east"\} [1-9]/m,
  },
  {
    what: "a reply of 40 MiB of Redis",
    async attack({ redis }) {
      // Without a time limit: the machine may need seconds for it.
      const attacker = new Redis(redis)
      for (const key of ["successes", "orphans"])
        await attacker.hset(`{headrace}:${key}:east`, "forged", "1".repeat(40 * MEGABYTE))
      return async () => {
        await attacker.quit()
      }
    },
    named: breach("redisReply", "redis"),
    comesBack: true,
  },
  {
    what: "rules of 7.5 million ConfigMaps",
    async attack({ repo }) {
      await repo.commit({ "rules.yaml": rulesOfMillions() })
      return async () => {
        await repo.commit({ "rules.yaml": RULES })
      }
    },
    named: /^headrace_stopped\{[^}]*code="rules\/too-many-targets"[^}]*\} 1/m,
  },
  {
    what: "a tree that names one folder over and over, and 64 billion files",
    attack: ({ repo }) => commitBomb(repo),
    named: /^headrace_stopped\{[^}]*code="git\/too-many-files"[^}]*\} 1/m,
  },
  {
    what: "a file of 95 MB of zeros",
    async attack({ repo }) {
      await repo.commit({ "large/zeros": Buffer.alloc(95_000_000) })
      return () => undefined
    },
    named: breach("file", "source release"),
  },
  {
    what: "a merge, and GitHub's answers about it that have no end",
    async attack({ repo, hook }) {
      await deliverMerge(hook, repo, await repo.commit({ "config/a.yaml": "merged\n" }))
      return () => undefined
    },
    named: breach("answer", "github"),
  },
]

async function deliverMerge(hook: number, { branch }: TestRepo, sha: string): Promise<void> {
  const to = {
    url: `http://127.0.0.1:${hook}/hook`,
    secret: WEBHOOK_SECRET,
    repository: GITHUB_REPO,
    branch,
  }
  const body = JSON.stringify(githubEvent.merged({ sha, number: 7, repo: GITHUB_REPO }))
  const status = await sendWebhook(to, "pull_request", body)
  if (status !== 202) throw new Error(`the delivery was answered with ${status}`)
}

function breach(bound: string, culprit: string): RegExp {
  return new RegExp(`^headrace_bound_breaches_total\\{bound="${bound}",culprit="${culprit}"\\} [1-9]`, "m")
}

async function openSockets(port: number, count: number, text: string): Promise<() => void> {
  const sockets: Socket[] = []
  for (let opened = 0; opened < count; opened++) {
    const socket = connect(port, "127.0.0.1")
    socket.on("error", () => undefined)
    socket.resume()
    await once(socket, "connect")
    socket.write(text)
    sockets.push(socket)
  }
  return () => {
    for (const socket of sockets) socket.destroy()
  }
}

function halfBody(): string {
  const head = `POST /hook HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${24 * MEGABYTE}\r\n`
  const signed = `x-github-event: push\r\nx-github-delivery: 1\r\nx-hub-signature-256: sha256=${"0".repeat(64)}\r\n\r\n`
  return head + signed + "x".repeat(12 * MEGABYTE)
}

async function inRedis(
  redis: string,
  change: (lanes: Awaited<ReturnType<typeof openLanes>>) => Promise<unknown>,
): Promise<() => void> {
  const lanes = await openLanes({ redis, log: createLog("attack", { level: "silent" }) })
  await change(lanes)
  await lanes.close()
  return () => undefined
}

/** Rules that name 7.5 million ConfigMaps. */
function rulesOfMillions(): string {
  const list = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}${index}`).join(",")
  const rules = Array.from({ length: 300 }, (_, index) => {
    const places = index === 0 ? `&all {east: [${list("n", 100)}]}` : "*all"
    return `    d${index}/*: {partitioned_names: [${list("p", 250)}], clusters: ${places}}`
  })
  return `config_updater:\n  maps:\n${rules.join("\n")}\n`
}

/** A tree of 4,000 files, under 4,000 names, under 4,000 names: 64 billion in three objects. */
async function commitBomb(repo: TestRepo): Promise<() => Promise<void>> {
  const file = join(repo.scratch, "tree")
  async function treeOf(mode: string, id: string): Promise<string> {
    const entry = (index: number) =>
      Buffer.concat([Buffer.from(`${mode} n${String(index).padStart(4, "0")}\0`), Buffer.from(id, "hex")])
    await writeFile(file, Buffer.concat(Array.from({ length: 4000 }, (_, index) => entry(index))))
    return repo.git("hash-object", "-t", "tree", "-w", "--literally", file)
  }
  const good = await repo.git("rev-parse", "main^{tree}")
  const files = await treeOf("100644", await repo.git("hash-object", "-w", "/dev/null"))
  const bomb = await treeOf("40000", await treeOf("40000", files))
  const show = async (tree: string) =>
    repo.git("update-ref", "refs/heads/main", await repo.git("commit-tree", tree, "-p", "main", "-m", "tree"))
  await show(bomb)
  return async () => {
    await show(good)
  }
}
