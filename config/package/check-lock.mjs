#!/usr/bin/env node
/**
 * Checks package-lock.json: every package has a digest (sha512), and none names a place of its own to come from, so that all
 * come from the one registry that npm is configured with. Then asks that registry whether it has signed what is installed
 * (`npm audit signatures`); where it offers no signatures that is skipped, with the reason.
 *
 *   npm run check:lock [-- --offline]
 */
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { faultsOfLock } from "./faults-of-lock.mjs"

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "..", "..")
const LIMIT_MS = 300_000

const lock = JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8"))
const faults = faultsOfLock(lock)
for (const fault of faults) process.stderr.write(`package-lock.json: ${fault}\n`)
if (faults.length > 0) process.exit(1)
process.stdout.write(
  `package-lock.json: ${Object.keys(lock.packages).length} entries, each with its digest\n`,
)
if (process.argv.includes("--offline")) process.stdout.write("signatures: skipped: --offline\n")
else process.exit(checkSignatures())

/** With its own level: `npm run -s` passes "silent" on to what it runs, and a refusal would have no word. */
function checkSignatures() {
  const { status, stdout, stderr, error } = spawnSync("npm", ["audit", "signatures", "--loglevel=error"], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: LIMIT_MS,
  })
  const why = status === 0 ? undefined : whyNoSignatures(`${stdout}${stderr}`, error)
  if (why !== undefined) {
    process.stdout.write(`signatures: skipped: ${why}\n`)
    return 0
  }
  process.stdout.write(stdout)
  if (status !== 0)
    process.stderr.write(stderr || `npm audit signatures ended with ${status} and said nothing more\n`)
  return status ?? 1
}

/** A package with a wrong signature is no reason to skip: undefined. */
function whyNoSignatures(output, error) {
  if (/invalid registry signature|missing registry signature|tampered/i.test(output)) return undefined
  if (error !== undefined) return `npm did not answer: ${error.message}`
  if (
    /No supported registries|no dependencies to audit that were installed from a supported registry/i.test(
      output,
    )
  )
    return "the registry offers no signatures"
  return /E(NOTFOUND|CONN|TIMEDOUT|AI_AGAIN)|\b40[0-9]\b|\b50[0-9]\b/.exec(output)?.[0]
}
