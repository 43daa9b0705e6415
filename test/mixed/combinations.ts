import { setTimeout as delay } from "node:timers/promises"
import { applied, type Combination, check, untilLogged, untilShown } from "./combination.ts"
import type { Fleet, Version } from "./fleet.ts"
import { RULES } from "./fleet.ts"
import { signedRecords } from "./signed-records.ts"

/** As long as an agent that would do something wrong is given to do it. */
const GRACE_MS = 1_500
const OTHER: Record<Version, Version> = { earlier: "today", today: "earlier" }
const GUARDED = { guard: { atLeast: 0 } }

/** A writer that may not write: it says why, ends with 1, and leaves every object as it is. */
async function refused(fleet: Fleet, version: Version, code: string, ...args: string[]): Promise<void> {
  const before = await fleet.objects()
  const result = await fleet.run(version, ...(args.length > 0 ? args : ["apply", "--direct"]))
  check(result.code === 1, `${version} ended with ${result.code}: ${result.text}`)
  check(result.text.includes(code), `${version} does not name ${code}: ${result.text}`)
  check(String(await fleet.objects()) === String(before), `${version} wrote, though it stopped with ${code}`)
}

const files = (text: string, count = 1) =>
  Object.fromEntries([["jobs/a", text], ...Array.from({ length: count }, (_, at) => [`jobs/f${at}`, "x"])])

async function agentsFirst(fleet: Fleet, note: (what: string, did: string) => Promise<void>): Promise<void> {
  await fleet.commit({ "rules.yaml": RULES, ...files("one") })
  await applied(fleet, "earlier")
  const earlier = await fleet.agent("earlier", "node-a")
  let upgraded = await fleet.agent("earlier", "node-b")
  await untilShown(earlier, "one", "the earlier agent")
  await untilShown(upgraded, "one", "the earlier agent")
  await note("all earlier", "both agents show")

  await upgraded.stop()
  upgraded = await fleet.agent("today", "node-b")
  await untilShown(upgraded, "one", "today's agent, on the earlier one's store")
  await fleet.commit(files("two"))
  await applied(fleet, "earlier")
  await untilShown(upgraded, "two", "today's agent")
  await untilShown(earlier, "two", "the earlier agent")
  await note("agent upgraded, writer earlier", "both agents show the next merge")

  await fleet.commit(files("three"))
  await applied(fleet, "today")
  check((await fleet.record()).format === 1, "a record at rest is not of format 1")
  await untilShown(upgraded, "three", "today's agent")
  await untilShown(earlier, "three", "the earlier agent")
  await note("writer upgraded, at rest", "both agents show: the record stays in format 1")

  await fleet.commit({ ...files("four"), "jobs/f0": null })
  await fleet.settings({ guard: { atLeast: 100 } })
  await applied(fleet, "today")
  check((await fleet.record()).format === 2, "a record that knows deletions is not of format 2")
  await untilShown(upgraded, "four", "today's agent")
  await untilLogged(earlier, /headrace\/release has format 2; this version reads up to 1/)
  await delay(GRACE_MS)
  check(earlier.shown() === "three", `the earlier agent shows ${earlier.shown()}`)
  await note(
    "a merge that deletes: format 2",
    "today's agent shows it; the earlier one keeps its last good and names the record's format",
  )

  await refused(fleet, "earlier", "record/newer-format")
  await refused(
    fleet,
    "earlier",
    "record/newer-format",
    "hold",
    "--reason",
    "x",
    "--cluster",
    "east",
    "--source",
    "release",
  )
  await note("earlier writer meets format 2", "it stops with record/newer-format and writes nothing")

  await fleet.settings({ guard: "off" })
  await fleet.commit(files("five"))
  await applied(fleet, "today")
  check((await fleet.record()).format === 1, "the record did not come back to format 1")
  await untilShown(earlier, "five", "the earlier agent")
  await fleet.settings({})
  await fleet.commit(files("six"))
  await applied(fleet, "earlier")
  await untilShown(earlier, "six", "the earlier agent")
  await untilShown(upgraded, "six", "today's agent")
  await note(
    "back: guard off for one merge, then the earlier writer",
    "the record is in format 1 again; both agents show",
  )

  await upgraded.stop()
  const back = await fleet.agent("earlier", "node-b")
  await untilLogged(back, /publish\/newer-format|has format 2, newer than 1/)
  check(back.shown() === "six", `after going back the node shows ${back.shown()}`)
  await back.stop()
  const again = await fleet.agent("today", "node-b")
  await fleet.commit(files("seven"))
  await applied(fleet, "earlier")
  await untilShown(again, "seven", "today's agent, back again")
  await note(
    "back: the earlier agent on a store of format 2",
    "it keeps what is shown and names the store's format; today's goes on there",
  )
  for (const agent of [earlier, again]) await agent.stop()
}

/** Two versions of a writer on one commit: neither takes the other's work for something else. */
async function alternate(fleet: Fleet, note: (what: string, did: string) => Promise<void>): Promise<void> {
  await fleet.commit({ "rules.yaml": RULES, ...files("one", 30) })
  await applied(fleet, "earlier")
  const { token } = await fleet.record()
  const objects = await fleet.objects()
  for (const version of ["today", "earlier", "today", "earlier"] as const) {
    await applied(fleet, version)
    check(String((await fleet.record()).token.epoch) === String(token.epoch), `${version} began a new epoch`)
  }
  const after = await fleet.objects()
  const rewritten = objects.filter((object) => !after.includes(object))
  check(
    rewritten.every((object) => /^(release|jobs|index-)/.test(object)),
    `rewritten: ${rewritten}`,
  )
  await note(
    "full rebuilds of one commit by turns",
    `one epoch, no shard written twice (rewritten: ${rewritten.length})`,
  )
}

function dies(version: Version): Combination["run"] {
  return async (fleet, note) => {
    await fleet.commit({ "rules.yaml": RULES, ...files("one") })
    await applied(fleet, version)
    await fleet.commit(files("two"))
    await fleet.dieWithIntent(version)
    const { format, intents } = await fleet.record()
    check(intents.length === 1, "no intent is open")
    await note(`${version} writer killed with an open intent`, `the record is of format ${format}`)
    if (format === 2) await refused(fleet, "earlier", "record/newer-format")
    await fleet.commit(files("three"))
    await applied(fleet, format === 2 ? "today" : OTHER[version])
    const record = await fleet.record()
    check(record.intents.length === 0, "the intent stays open")
    check((await fleet.view())?.a === "three", "the named ConfigMap was not written")
    await note(
      "the next writer",
      format === 2
        ? "the earlier one refuses, today's ends it"
        : "ends what was begun, and writes the next merge",
    )
  }
}

/** What the earlier version stopped and approved; today's approval names rules, which an earlier one does not. */
async function stoppedAndApproved(
  fleet: Fleet,
  note: (what: string, did: string) => Promise<void>,
): Promise<void> {
  await fleet.settings(GUARDED)
  await fleet.commit({ "rules.yaml": RULES, ...files("one", 30) })
  await applied(fleet, "earlier")
  const gone = Object.fromEntries(Array.from({ length: 30 }, (_, at) => [`jobs/f${at}`, null]))
  const commit = await fleet.commit(gone)
  check((await fleet.run("earlier", "apply", "--direct")).code === 1, "the earlier guard did not stop it")
  await note("stopped by the earlier guard", String((await fleet.record()).stopped?.code))
  const place = ["--cluster", "east", "--source", "release"]
  const approved = await fleet.run("earlier", "approve", "--commit", commit, ...place)
  check(approved.code === 0, approved.text)
  check(
    (await fleet.run("today", "apply", "--direct")).code === 1,
    "today's guard passed an approval without rules",
  )
  check(Object.keys((await fleet.view()) ?? {}).includes("f29"), "keys were deleted")
  await note(
    "approved by the earlier command, worked by today's writer",
    "still stopped: that approval names no rules",
  )
  const again = await fleet.run("today", "approve", "--commit", commit, "--no-wait", ...place)
  check(again.code === 0, again.text)
  await applied(fleet, "today")
  check(!Object.keys((await fleet.view()) ?? {}).includes("f29"), "the approved deletion was not done")
  await note("approved by today's command", "applied")
}

/** Lanes of both versions on one Redis: which one works a wake-up is chance. */
async function lanes(fleet: Fleet, note: (what: string, did: string) => Promise<void>): Promise<void> {
  await fleet.settings({ guard: "off" })
  await fleet.commit({ "rules.yaml": RULES, ...files("0") })
  const plugins = [await fleet.plugin("earlier"), await fleet.plugin("today")]
  const agents = [await fleet.agent("earlier", "node-a"), await fleet.agent("today", "node-b")]
  for (let merge = 1; merge <= 8; merge++) {
    await fleet.commit(files(`${merge}`))
    const status = await plugins[merge % 2]?.deliver()
    check(status === 202, `a delivery was answered with ${status}`)
    for (const agent of agents) await untilShown(agent, `${merge}`, "an agent")
    await note(
      `merge ${merge} of 8, delivered to ${merge % 2 ? "today's" : "the earlier"} plugin`,
      "written, and shown on both nodes",
    )
  }
  await plugins[0]?.stop()
  await fleet.commit(files("last"))
  check((await plugins[1]?.deliver()) === 202, "today's plugin alone refused a delivery")
  for (const agent of agents) await untilShown(agent, "last", "an agent")
  await note("the earlier plugin stopped", "today's works the lane alone")
  for (const one of [...agents, ...plugins.slice(1)]) await one.stop()
}

/** A settingsVersion is in the record as long as it is in the settings: there is no way back while it is there. */
async function settingsVersion(
  fleet: Fleet,
  note: (what: string, did: string) => Promise<void>,
): Promise<void> {
  await fleet.commit({ "rules.yaml": RULES, ...files("one") })
  await applied(fleet, "earlier")
  await fleet.settings({ settingsVersion: 1 })
  await applied(fleet, "today")
  check((await fleet.record()).format === 2, "the record does not know the settings' version")
  await fleet.settings({})
  await refused(fleet, "earlier", "record/newer-format")
  await note(
    "settingsVersion in today's settings",
    "format 2 for good: the earlier writer stops and writes nothing",
  )
  const agent = await fleet.agent("today", "node-a")
  await untilShown(agent, "one", "today's agent")
  await fleet.removeRecord()
  await fleet.commit(files("two"))
  await applied(fleet, "earlier")
  await untilShown(agent, "two", "today's agent")
  await agent.stop()
  await note(
    "the record removed, then the earlier writer",
    "a new epoch in format 1, which today's agent follows",
  )
}

/** More failed targets than a record has room for, left by the earlier version. */
async function failures(fleet: Fleet, note: (what: string, did: string) => Promise<void>): Promise<void> {
  const names = Array.from({ length: 60 }, (_, at) => `t${String(at).padStart(2, "0")}`)
  const maps = names.map((name) => `'t/${name}/**': {name: ${name}, clusters: {east: [ci]}}`)
  const source = { ...RELEASE(fleet), strict: true }
  await fleet.settings({ sources: { release: source } })
  const once = Object.fromEntries(names.map((name) => [`t/${name}/a/x`, name]))
  await fleet.commit({ "rules.yaml": `config_updater: {maps: {${maps.join(", ")}}}`, ...once })
  await applied(fleet, "earlier")
  await fleet.commit(Object.fromEntries(names.map((name) => [`t/${name}/b/x`, "twice"])))
  await fleet.run("earlier", "apply", "--direct")
  const before = (await fleet.objects()).filter((object) => /^t\d\d@/.test(object))
  await fleet.run("today", "apply", "--direct")
  const after = (await fleet.objects()).filter((object) => /^t\d\d@/.test(object))
  check(String(before) === String(after) && after.length === 60, "failed targets were written")
  await note(
    "60 failed targets of the earlier writer",
    "today's keeps what they hold, and lists them all in the store",
  )
  await fleet.commit(Object.fromEntries(names.map((name) => [`t/${name}/b/x`, null])))
  await applied(fleet, "today")
  check((await fleet.record()).format === 1, "the record is not at rest")
  await applied(fleet, "earlier")
  await note("the mistakes taken back", "format 1 again; the earlier writer goes on")
}

function RELEASE({ repo }: Fleet): object {
  return { url: repo.folder, repo: "example/config", branch: "main", rules: "rules.yaml", poll: "1h" }
}

export const COMBINATIONS: readonly Combination[] = [
  { name: "agents first, then writers, and back", run: agentsFirst },
  { name: "two writers by turns", run: alternate },
  { name: "an earlier writer dies", run: dies("earlier") },
  { name: "today's writer dies", run: dies("today") },
  { name: "stopped by the guard", run: stoppedAndApproved },
  { name: "lanes", run: lanes },
  { name: "settingsVersion", run: settingsVersion },
  { name: "failed targets", run: failures },
  { name: "signed records", run: signedRecords },
]
