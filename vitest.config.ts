import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { LongFilesFirst } from "./test/harness/long-files-first.ts"
import { scratchFolder } from "./test/harness/scratch-folder.ts"

export default defineConfig({
  test: {
    include: ["{shared,plugin,bootstrapper,agent,config,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    // Node imports the files itself: what Vite makes of a module reads each of its imports through a getter, which took an
    // eighth of the CPU of tests that compute. The price is `vi.mock`, which no test uses.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    execArgv: [
      // Tests import the sources of sibling packages, never a stale build.
      "--conditions=source",
      "--no-warnings",
      // Most of what a test makes is garbage soon: with room for it, less of it is copied. Another tenth of the CPU.
      "--min-semi-space-size=32",
      "--max-semi-space-size=32",
    ],
    // Files share four processes: to load the sources again for each file took a second of CPU, a third of the suite's
    // time. So a test leaves its process as it found it; see docs/decisions/086.
    isolate: false,
    // More than two cores need: most tests wait for other processes or for time to pass.
    maxWorkers: 4,
    sequence: { sequencer: LongFilesFirst },
    // Far beyond what any takes on an idle machine: with six busy processes beside them some take minutes. Vitest's own
    // five seconds, and the one second of its polls, would assert a time.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    expect: { poll: { timeout: 150_000 } },
    env: {
      // Programs that tests start from source: half of their start goes into reading TypeScript.
      NODE_COMPILE_CACHE: join(import.meta.dirname, ".cache/node-compile"),
      // A disk takes a third of the CPU of what makes many files, and most of its time.
      TMPDIR: scratchFolder(),
      // Of a checkout, programs read it as the user who runs them has it (core.autocrlf, say).
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
    },
    setupFiles: [
      "test/harness/node-version.ts",
      "test/harness/plain-output.ts",
      "test/harness/share-compiled.ts",
      "test/harness/property-seed.ts",
    ],
  },
})
