import { openMirror } from "@headrace/shared/git/open-mirror"
import { createLog } from "@headrace/shared/observe/log"

/**
 * Opens the mirror `m` of the repository argv[2] in the folder argv[3] and fetches over and over, a line on
 * standard output for each: for a test to kill at any instant.
 */
const [, , url = "", folder = ""] = process.argv
const log = createLog("test", { level: "silent" })
const mirror = await openMirror({
  name: "m",
  url,
  branch: "main",
  folder,
  log,
  upkeep: { quiet: 1, every: 0 },
})
process.stdout.write("open\n")
for (;;) {
  const { commit } = await mirror.fetch()
  await mirror.tree(commit)
  process.stdout.write(`${commit}\n`)
}
