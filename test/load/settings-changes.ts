import { rename, writeFile } from "node:fs/promises"
import { setTimeout as delay } from "node:timers/promises"
import { push, sendWebhook } from "@headrace/config/local/signed-webhook"
import { DeliveryOutcome } from "@headrace/plugin/deliveries/answer-deliveries"
import { until } from "../harness/until.ts"
import { type PluginProcess, type Site, withSite } from "./burst-site.ts"

/** In the settings throughout; CHANGING comes and goes. */
const CLUSTERS = ["steady01", "steady02"]
const CHANGING = "changing"
const CHANGE_LIMIT_MS = 300_000
const SETTLE_LIMIT_MS = 300_000

export interface SettingsResult {
  changes: number
  /** How often each plugin started over. */
  starts: number[]
  /** Deliveries by the status they were answered with. */
  answers: Record<string, number>
  scrapes: number
  /** Exit codes and standard error of plugins that ended before they were asked to. */
  ended: string[]
  /** Accepted deliveries that lack the outcome "written" in a cluster that was in the settings throughout. */
  unanswered: number
}

export interface SettingsOptions {
  /** Milliseconds between two deliveries, and between two scrapes, to a plugin. */
  pause: number
  onChange?: (changes: number) => void
}

/**
 * Changes the settings of two plugins on one Redis `changes` times, under webhooks and scrapes of both. Each change
 * gives every source another interval and adds or removes a cluster; the next one follows when both run on it, and
 * `onChange` hears how many there were.
 */
export function changeSettings(changes: number, options: SettingsOptions): Promise<SettingsResult> {
  const clusters = [...CLUSTERS, CHANGING]
  return withSite(clusters, clusters, changes, (site) => change(changes, site, options))
}

async function change(
  changes: number,
  site: Site,
  { pause, onChange }: SettingsOptions,
): Promise<SettingsResult> {
  const stop = new AbortController()
  const answers: Record<string, number> = {}
  const accepted: string[] = []
  let scrapes = 0

  async function deliver({ hook }: PluginProcess, name: string): Promise<void> {
    for (let number = 0; !stop.signal.aborted; number++) {
      const guid = `${name}-${number}`
      const status = await sendWebhook(hook, "push", push(hook, "", tipOf(site)), guid).catch(() => 0)
      answers[status] = (answers[status] ?? 0) + 1
      if (status === 202) accepted.push(guid)
      await delay(pause)
    }
  }
  async function scrape({ hook }: PluginProcess): Promise<void> {
    while (!stop.signal.aborted) {
      await fetch(new URL("/metrics", hook.url)).then(
        (answer) => answer.text(),
        () => undefined,
      )
      scrapes++
      await delay(pause)
    }
  }

  await site.branch.moveTo(tipOf(site))
  const load = site.plugins.flatMap((plugin, number) => [deliver(plugin, `plugin${number}`), scrape(plugin)])
  for (let number = 1; number <= changes && endedEarly(site).length === 0; number++) {
    await settle(site, number)
    await until(() => endedEarly(site).length > 0 || haveStarted(site, number + 1), CHANGE_LIMIT_MS)
    onChange?.(number)
  }
  stop.abort()
  await Promise.all(load)
  const ended = endedEarly(site)
  const rest = () => unanswered(site, accepted)
  if (ended.length === 0)
    await until(async () => (await rest()) === 0, SETTLE_LIMIT_MS).catch(() => undefined)
  return {
    changes,
    starts: site.plugins.map(starts),
    answers,
    scrapes,
    ended,
    unanswered: await rest(),
  }
}

/** All deliveries name one commit: what matters here is that each is answered, not that the branch moves. */
function tipOf({ branch }: Site): string {
  return branch.commits[0] ?? ""
}

async function settle({ config, settings }: Site, number: number): Promise<void> {
  const sources = Object.entries(settings.sources).map(([name, source]) => [
    name,
    { ...source, poll: `${60 + number}s` },
  ])
  const { [CHANGING]: changing = {}, ...steady } = settings.clusters
  const clusters = number % 2 === 0 ? { ...steady, [CHANGING]: changing } : steady
  // As the kubelet does it: a reader sees the old file or the new one.
  await writeFile(
    `${config}.new`,
    JSON.stringify({ ...settings, sources: Object.fromEntries(sources), clusters }),
  )
  await rename(`${config}.new`, config)
}

function haveStarted({ plugins }: Site, times: number): boolean {
  return plugins.every((plugin) => starts(plugin) >= times)
}

function starts(plugin: PluginProcess): number {
  return plugin.output().split('"plugin started"').length - 1
}

function endedEarly({ plugins }: Site): string[] {
  return plugins
    .filter(({ child }) => child.exitCode !== null || child.signalCode !== null)
    .map(({ child, errors }) => `exit ${child.exitCode ?? child.signalCode}: ${errors().slice(-2000)}`)
}

async function unanswered({ lanes }: Site, guids: readonly string[]): Promise<number> {
  let count = 0
  for (const guid of guids) {
    const fields = CLUSTERS.map((cluster) => `outcome/${cluster}/release`)
    const outcomes = await lanes.redis.hmget(lanes.key("delivery", guid), ...fields)
    const written = outcomes.every(
      (text) => text !== null && DeliveryOutcome.parse(JSON.parse(text)).state === "written",
    )
    if (!written) count++
  }
  return count
}
