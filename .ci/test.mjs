// test.mjs COUNTS: runs every test by the README's command, names what failed once more at the end, where people look, and
// writes "N passed, N failed" to the file COUNTS.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"

const REPORTERS = ["default", "./test/harness/skipped-tests-reporter.ts", "json"]

const folder = mkdtempSync(join(tmpdir(), "headrace-ci-"))
const report = runTests(join(folder, "report.json"))
rmSync(folder, { recursive: true, force: true })

const failures = failuresOf(report)
for (const [name, message] of failures) process.stdout.write(`failed: ${name}: ${message}\n`)
writeFileSync(process.argv[2], `${report.numPassedTests} passed, ${failures.size} failed\n`)
process.exitCode = failures.size > 0 ? 1 : 0

function runTests(file) {
  const reporters = REPORTERS.map((each) => `--reporter=${each}`)
  const args = ["test", "--", ...reporters, `--outputFile.json=${file}`]
  const isGreen = spawnSync("npm", args, { stdio: "inherit" }).status === 0
  try {
    return { ...JSON.parse(readFileSync(file, "utf8")), isGreen }
  } catch (error) {
    // No report means that no test ran: a failure of its own.
    return { isGreen: false, numPassedTests: 0, testResults: [], problem: `left no report: ${error}` }
  }
}

/** What failed, by file and name; a run that ended badly without a failed test (an error outside of tests) is one too. */
function failuresOf({ isGreen, testResults, problem }) {
  const failures = new Map()
  for (const file of testResults) {
    const path = relative(".", file.name)
    const tests = file.assertionResults.filter((test) => test.status === "failed")
    for (const test of tests)
      failures.set(`${path} > ${test.fullName}`, test.failureMessages.join("; ").slice(0, 2000))
    if (file.status === "failed" && tests.length === 0) failures.set(path, file.message)
  }
  if (!isGreen && failures.size === 0)
    failures.set("the test run", problem ?? "ended with an error outside of its tests")
  return failures
}
