import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { generateKeyFiles } from "@headrace/shared/trust/key-file"
import { applied, check, untilLogged, untilShown } from "./combination.ts"
import { type Fleet, RULES } from "./fleet.ts"

/** As long as an agent that would show what it must refuse is given to do it. */
const GRACE_MS = 1_500

const files = (text: string) => ({ "jobs/a": text })

/** Agents first, then writers, then signing; and back to a writer that knows no signatures, and forward again. */
export async function signedRecords(
  fleet: Fleet,
  note: (what: string, did: string) => Promise<void>,
): Promise<void> {
  const key = join(fleet.repo.scratch, "signing-key")
  const { privateText, publicText } = generateKeyFiles(undefined)
  await writeFile(key, privateText, { mode: 0o600 })
  await writeFile(`${key}.pub`, publicText)
  const trust = `trust: {keys: [${key}.pub], clusters: [east]}\n`
  const signing = { signing: { keyFile: key } }

  await fleet.commit({ "rules.yaml": RULES, ...files("one") })
  await applied(fleet, "earlier")
  const earlier = await fleet.agent("earlier", "node-a")
  const upgraded = await fleet.agent("today", "node-b")
  await untilShown(earlier, "one", "the earlier agent")
  await untilShown(upgraded, "one", "today's agent")
  await note("agents upgraded, writer earlier, nothing signed", "both agents show")

  await fleet.settings(signing)
  const { code, text } = await fleet.run("today", "keys", "sign")
  check(code === 0, `keys sign ended with ${code}: ${text}`)
  const trusting = await fleet.agent("today", "node-c", trust)
  await fleet.commit(files("two"))
  await applied(fleet, "today")
  await untilShown(earlier, "two", "the earlier agent, which knows no signatures,")
  await untilShown(upgraded, "two", "today's agent without trust")
  await untilShown(trusting, "two", "today's agent with trust")
  await note(
    "writer upgraded, signing",
    "the earlier agent ignores the signature; the one with trust believes it",
  )

  await fleet.settings({})
  await fleet.commit(files("three"))
  await applied(fleet, "earlier")
  await untilShown(earlier, "three", "the earlier agent")
  await untilShown(upgraded, "three", "today's agent without trust")
  await untilLogged(trusting, /trust\/(unsigned|bad-signature)/)
  await delay(GRACE_MS)
  check(trusting.shown() === "two", `the agent with trust shows ${trusting.shown()}`)
  await note("back to a writer that does not sign", "the agent with trust keeps its last good, and says why")

  await fleet.settings(signing)
  const again = await fleet.run("today", "keys", "sign")
  check(again.code === 0, `keys sign ended with ${again.code}: ${again.text}`)
  await untilShown(trusting, "three", "the agent with trust, once it was signed,")
  await note("forward again, and signed by a person", "all agents show the same")
}
