// test.mjs COUNTS: runs every test by the README's command, then each file that failed once more by itself, prints what
// failed, and writes "N passed, N failed" to the file COUNTS. A test that fails beside others and passes alone is named:
// it needs a repair, but says nothing against the change that is looked at.
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"

const REPORTERS = ["default", "./test/harness/skipped-tests-reporter.ts", "json"]
/** More failed files than these are no accident. */
const MOST_AGAIN = 10

const folder = mkdtempSync(join(tmpdir(), "headrace-ci-"))
const first = runTests("first", ["test", "--"])
const failedFiles = first.testResults
  .filter((file) => file.status === "failed")
  .map((file) => relative(".", file.name))
const isWorthAnother = failedFiles.length > 0 && failedFiles.length <= MOST_AGAIN
const second = isWorthAnother
  ? runTests("second", ["exec", "--", "vitest", "run", "--maxWorkers=1", ...failedFiles])
  : undefined
rmSync(folder, { recursive: true, force: true })

const failedAtFirst = failuresOf(first)
const failed = second ? failuresOf(second) : failedAtFirst
for (const [name, message] of new Map([...failedAtFirst, ...failed])) {
  const passedAlone = second !== undefined && !failed.has(name)
  process.stdout.write(
    `${passedAlone ? "failed beside others, passed alone" : "failed"}: ${name}: ${message}\n`,
  )
}
const passedAlone = [...failedAtFirst.keys()].filter((name) => !failed.has(name)).length
writeFileSync(process.argv[2], `${first.numPassedTests + passedAlone} passed, ${failed.size} failed\n`)
process.exitCode = failed.size > 0 ? 1 : 0

/** No report means that no test ran: a failure of its own. */
function runTests(name, args) {
  const file = join(folder, `${name}.json`)
  const { status } = spawnSync(
    "npm",
    [...args, ...REPORTERS.map((each) => `--reporter=${each}`), `--outputFile.json=${file}`],
    { stdio: "inherit" },
  )
  try {
    const report = JSON.parse(readFileSync(file, "utf8"))
    return { ...report, isGreen: status === 0 }
  } catch (error) {
    return {
      isGreen: false,
      numPassedTests: 0,
      testResults: [
        { name: "the test run", status: "failed", message: `left no report: ${error}`, assertionResults: [] },
      ],
    }
  }
}

/** What failed, by file and name; a run that ended badly without a failed test (an error outside of tests) is one too. */
function failuresOf(report) {
  const failures = new Map()
  for (const file of report.testResults) {
    const path = relative(".", file.name)
    const tests = file.assertionResults.filter((test) => test.status === "failed")
    for (const test of tests)
      failures.set(`${path} > ${test.fullName}`, test.failureMessages.join("; ").slice(0, 2000))
    if (file.status === "failed" && tests.length === 0) failures.set(path, file.message)
  }
  if (!report.isGreen && failures.size === 0)
    failures.set("the test run", "ended with an error outside of its tests")
  return failures
}
