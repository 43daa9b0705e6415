import type { Reporter, TestModule } from "vitest/node"

/** The reason in a test's full name, as `whySkipped` puts it there. */
const REASON = /\(skipped: (.+?)\)(?= > |$)/

/** Prints each skipped test with its reason, and fails a run that skips a test without one. */
export default class SkippedTestsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap(skippedIn)
    if (lines.length === 0) return
    process.stdout.write(`\n${lines.length} tests were skipped:\n${lines.join("\n")}\n`)
    const silent = lines.filter((line) => line.endsWith(NO_REASON)).length
    if (silent === 0) return
    process.stdout.write(`${silent} tests were skipped without a reason: the run fails for that\n`)
    process.exitCode = 1
  }
}

const NO_REASON = "NO REASON GIVEN"

function skippedIn(module: TestModule): string[] {
  return [...module.children.allTests("skipped")].map((test) => {
    const result = test.result()
    const note = result.state === "skipped" ? result.note : undefined
    const reason = note ?? REASON.exec(test.fullName)?.[1] ?? NO_REASON
    const name = test.fullName.replace(REASON, "").trim()
    return `skipped: ${module.relativeModuleId} > ${name}: ${reason}`
  })
}
