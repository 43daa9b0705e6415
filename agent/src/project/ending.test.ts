import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { createTestCluster, projectionYaml } from "@headrace/test/harness/with-agent"
import { withFolder } from "@headrace/test/harness/with-folder"
import { projectionOptions } from "@headrace/test/harness/with-projection"
import { writeRevision } from "@headrace/test/harness/write-revision"
import { expect, it } from "vitest"
import { openProjection } from "../publish/open-projection.ts"
import { createAgent } from "./agent.ts"

it("has closed its folders when it has ended, whenever it was asked to end", async () => {
  await withFolder(async (folder) => {
    const { kube } = createTestCluster()
    await writeRevision(kube, { seq: 1, targets: { "ci/jobs": { x: "one" } } })
    const yaml = projectionYaml(folder, "[{configMap: ci/jobs}]", `    notify: [{touch: ${folder}/touched}]`)
    const settings = parseSettings(yaml, "agent.yaml", AgentSettings)
    for (let turns = 0; turns < 60; turns += 1) {
      const log = createLog("test", { level: "silent" })
      const agent = createAgent(settings, { reader: kube, clock: systemClock, log })
      const stop = new AbortController()
      const running = agent.run(stop.signal)
      for (let turn = 0; turn < turns; turn += 1) await setImmediate()
      stop.abort(new Error("the test is over"))
      await running
      const next = openProjection(projectionOptions(join(folder, "shown")))
      await expect(next, `after ${turns} turns`).resolves.toBeDefined()
      await (await next).close()
    }
  })
})
