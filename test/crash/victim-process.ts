import { writeSync } from "node:fs"
import { openNodeDisk } from "@headrace/agent/disk/node-disk"
import type { LayoutName } from "@headrace/agent/layout/open-layout"
import { publishAll } from "./scenario.ts"
import { wrapDisk } from "./wrap-disk.ts"

// Publishes the scenario to argv[2], a line on standard output for each acknowledged revision, and kills itself
// before operation argv[3]. argv[4] is the layout.
const [path = "", index = "", layout = "links"] = process.argv.slice(2)
let count = 0
const disk = wrapDisk(openNodeDisk(), () => {
  if (count++ === Number(index)) process.kill(process.pid, "SIGKILL")
})
await publishAll(path, { disk, layout: layout as LayoutName }, (revision) => writeSync(1, `${revision.id}\n`))
