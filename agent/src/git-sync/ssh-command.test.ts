import { chownSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { it } from "@headrace/test/harness/fixtures"
import { notRoot, whySkipped } from "@headrace/test/harness/why-skipped"
import { expect } from "vitest"
import { mountedSshConfig, sshCommand } from "./ssh-command.ts"

it("takes ssh's configuration from where git-sync's documents mount it", ({ folder }) => {
  const file = join(folder, "config")
  expect(mountedSshConfig(file)).toBeUndefined()
  writeFileSync(file, "Host *\n")
  expect([mountedSshConfig(file), mountedSshConfig(join(file, "below"))]).toEqual([file, undefined])
  const command = sshCommand({
    keyFiles: ["/key"],
    knownHostsFile: "/known",
    configFile: mountedSshConfig(file),
  })
  expect(command).toMatch(`ssh -F '${file}' -i '/key' -o StrictHostKeyChecking=yes`)
})

it.skipIf(notRoot() !== undefined)(
  `believes no configuration of another user${whySkipped(notRoot())}`,
  ({ folder }) => {
    const file = join(folder, "config")
    writeFileSync(file, "Host *\n")
    chownSync(file, 12345, 12345)
    expect(mountedSshConfig(file)).toBeUndefined()
  },
)
