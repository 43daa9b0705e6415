import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { applyManifests } from "../deployment/kubectl.ts"
import { until } from "../harness/until.ts"
import { whySkipped } from "../harness/why-skipped.ts"
import { delaysOf, percentile, type Shown, watchGenerations } from "./agent-and-kubelet.ts"
import { kubeNodeMissing } from "./kube-node.ts"
import { openSite, PATIENCE_MS, type Site, watchInService, watchReadable } from "./node-site.ts"

const missing = kubeNodeMissing()
/** How many changes are measured, and how many seconds lie between two. */
const SAMPLES = Number(process.env.HEADRACE_NODE_SAMPLES ?? 8)
const GAP_S = Number(process.env.HEADRACE_NODE_GAP_SECONDS ?? 20)
/** The kubelet's own period is a minute, and its cache may add as much. */
const KUBELET_MS = 150_000
/** Less than a node's Lease takes to run out, after which its Pods count as not ready whatever they do. */
const AWAY_MS = 20_000
/** Where the three ConfigMaps' files are in the agent's projection, and in the kubelet's. */
const AGENT_FILES = ["a.yaml", "steps/steps/b.yaml", "c.yaml"]
const KUBELET_FILES = ["a.yaml", "b.yaml", "c.yaml"]

describe.skipIf(missing)(`a real node${whySkipped(missing)}`, { timeout: 900_000 }, () => {
  let site: Site
  let end: () => Promise<void>

  beforeAll(async () => {
    ;({ site, end } = await openSite())
  }, 1_200_000)

  afterAll(() => end?.(), 300_000)

  it("runs the plugin and the agent as Pods, and the CronJob's job", async () => {
    await site.commit()
    await site.apply("overlays/example")
    await site.rollout("deployment/headrace-plugin")
    await site.rollout("daemonset/headrace-agent")
    await site.untilShown()
    expect(await site.push(await site.commit())).toBe(202)
    await site.untilShown()
    await applyManifests(site.node.kubeconfig, [site.jobOfCronJob("headrace-by-hand")])
    await site.kubectl(
      "--namespace=headrace",
      "wait",
      "--for=condition=complete",
      "job/headrace-by-hand",
      "--timeout=3m",
    )
  })

  it("shows configuration in a developer's Pod who types docs/how-to/sidecar.md", () =>
    site.typeSidecarPage())

  it("runs the sidecar and the init container of the samples as Pods", async () => {
    for (const sample of ["samples/sidecar", "samples/init-container"]) await site.apply(sample)
    for (const pod of ["with-sidecar", "with-init-container"]) {
      await site.kubectl("--namespace=ci", "wait", "--for=condition=Ready", `pod/${pod}`, "--timeout=3m")
      const shown = await site.kubectl(
        "--namespace=ci",
        "exec",
        pod,
        "--container=consumer",
        "--",
        "cat",
        "/config/job-config/a.yaml",
      )
      expect(shown.trim()).toBe(String(site.generation()))
    }
  })

  it("keeps the sidecar's consumer in service through a slow hook, a veto and an API server that is away", async () => {
    const root = join(await site.rootOfPod("ci", "with-sidecar", "headrace-agent"), "config")
    const shown = () => readFile(join(root, "job-config/a.yaml"), "utf8")
    const isShown = async () => (await shown()) === String(site.generation())
    const since = await site.readySince("with-sidecar")
    const stop = new AbortController()
    const looks = watchInService(site, shown, stop.signal)

    await until(isShown, PATIENCE_MS)
    for (const what of ["hold", "veto"]) {
      await writeFile(join(root, what), "")
      await site.commit()
      // The node's own agent has no hook: it shows that the commit has come this far.
      await site.untilShown()
      await until(async () => (await site.statusOfSidecar("/readyz?current")) === 503, PATIENCE_MS)
      expect(await isShown()).toBe(false)
      await rm(join(root, what))
      await until(isShown, PATIENCE_MS)
    }
    const resume = await site.node.suspendApiServer()
    await delay(AWAY_MS)
    resume()
    await site.commit()
    await until(isShown, PATIENCE_MS)
    stop.abort()

    const { count, failures } = await looks
    print(`the sidecar's consumer: ${count} looks at its file and at /readyz, ${failures.length} failed`)
    expect(failures).toEqual([])
    expect(await site.readySince("with-sidecar")).toBe(since)
  })

  it("shows a change faster than the kubelet's own mounts of the same ConfigMaps, and never torn", async () => {
    await site.apply("kubelet")
    await site.kubectl(
      "--namespace=ci",
      "wait",
      "--for=condition=Ready",
      "pod/kubelet-mounts",
      "--timeout=2m",
    )
    const root = await site.rootOfPod("ci", "kubelet-mounts", "sleep")
    const stop = new AbortController()
    const agents = watchGenerations(() => site.projection, AGENT_FILES, stop.signal)
    const kubelets = watchGenerations(() => join(root, "all"), KUBELET_FILES, stop.signal)
    const started = new Map<number, number>()
    for (let sample = 0; sample < SAMPLES; sample += 1) {
      const sha = await site.commit()
      started.set(site.generation(), Date.now())
      expect(await site.push(sha)).toBe(202)
      await delay(GAP_S * 1000)
    }
    await until(
      async () => (await readFile(join(root, "all/a.yaml"), "utf8")) === String(site.generation()),
      KUBELET_MS,
    )
    stop.abort()
    const [agent, kubelet] = await Promise.all([agents, kubelets])
    print(table(agent, kubelet, started))
    expect(delaysOf(agent, started)).toHaveLength(SAMPLES)
    expect(agent.torn).toBe(0)
  })

  it.each([
    { what: "its process is killed", act: () => site.killAgent() },
    { what: "its Pod is deleted", act: () => site.deletePods("agent") },
    { what: "it is rolled out again", act: () => site.restart("daemonset/headrace-agent") },
    { what: "the plugin's Pod is deleted", act: () => site.deletePods("plugin") },
    // Its Pods end with it, the reading one too.
    { what: "the node is restarted", act: () => site.restartNode(), endsPods: true },
  ])(
    "keeps what the agent shows readable, for a Pod too, and shows the next commit, when $what",
    async ({ what, act, endsPods }) => {
      const stop = new AbortController()
      const watching = watchReadable(site, stop.signal)
      await site.startReader()
      const before = Date.now()
      const done = act()
      await site.commit()
      await done
      await site.untilShown()
      print(
        `${what}: the disk shows a commit made meanwhile after ${((Date.now() - before) / 1000).toFixed(1)} s`,
      )
      stop.abort()
      expect(await watching).toEqual([])
      if (endsPods) return
      const { looks, unreadable } = await site.endReader()
      print(`${what}: a Pod looked ${looks} times or more, ${unreadable.length} unreadable`)
      expect(unreadable).toEqual([])
      expect(looks).toBeGreaterThan(0)
    },
  )

  it("needs the memory that its manifests request, and less than their limits", async () => {
    const rows = await site.memory()
    print(
      ["peak memory, MiB", ...rows.map(({ name, peak, limit }) => `  ${name}: ${peak} of ${limit}`)].join(
        "\n",
      ),
    )
    for (const { name, peak, limit } of rows) expect(peak, name).toBeLessThan(limit)
  })
})

function table(agent: Shown, kubelet: Shown, started: ReadonlyMap<number, number>): string {
  const row = (name: string, shown: Shown) => {
    const delays = delaysOf(shown, started)
    const seconds = (share: number) => `${(percentile(delays, share) / 1000).toFixed(2)} s`
    return `| ${name} | ${seconds(0.5)} | ${seconds(0.9)} | ${shown.torn} of ${shown.states} |`
  }
  return [
    `\n${started.size} commits, from the signed webhook until the node shows it:\n`,
    "| | p50 | p90 | states that mix commits |",
    "|---|---|---|---|",
    row("the kubelet's mounts", kubelet),
    row("Headrace's agent", agent),
    "",
  ].join("\n")
}

/** Not by console.log, which vitest puts under headings of its own. */
function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
