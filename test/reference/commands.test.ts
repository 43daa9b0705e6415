import { join } from "node:path"
import { createAgentProgram } from "@headrace/agent/agent-program"
import { createBootstrapperProgram } from "@headrace/bootstrapper/bootstrapper-program"
import { createDemoProgram } from "@headrace/config/local/demo-program"
import { createUpProgram } from "@headrace/config/local/up-program"
import { createPluginProgram } from "@headrace/plugin/plugin-program"
import { expect, it } from "vitest"
import { commandsPage } from "./commands-page.ts"

const PAGE = join(import.meta.dirname, "../../docs/reference/commands.md")
const { signal } = new AbortController()

it("docs/reference/commands.md has every flag of every command (vitest run test/reference --update=all rewrites it)", async () => {
  const programs = [
    createPluginProgram(signal),
    createBootstrapperProgram({ signal, exitCode: 0 }),
    createAgentProgram(signal),
    createUpProgram(signal),
    createDemoProgram(signal),
  ]
  await expect(commandsPage(programs)).toMatchFileSnapshot(PAGE)
})
