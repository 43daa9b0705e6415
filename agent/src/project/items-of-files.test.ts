import { sha256 } from "@headrace/shared/foundation/digest"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { describe, expect, it } from "vitest"
import { NO_INPUTS } from "../assemble/inputs.ts"
import type { ProjectedFile } from "../assemble/projected-files.ts"
import type { StoreReader } from "../assemble/store-reader.ts"
import { gitSourceId } from "../watch/watch-git.ts"
import { namedProjections } from "./projection-spec.ts"

const NO_STORE = {} as StoreReader
const FILES = ["jobs/a.yaml", "jobs/b.yaml", "README"].map(fileAt)

function fileAt(path: string): ProjectedFile {
  const content = Buffer.from(path)
  return {
    path,
    mode: 0o444,
    size: content.length,
    sha256: sha256(content),
    origin: path,
    read: async () => content,
  }
}

/** What the one source of a projection gives, by path, with its mode. */
async function placed(from: string): Promise<Record<string, string>> {
  const yaml = `{version: 1, projections: {jobs: {path: /p, from: [${from}]}}}`
  const settings = parseSettings(yaml, "agent.yaml", AgentSettings)
  const git = settings.projections.jobs?.from[0]?.git
  const snapshot = {
    commit: "c".repeat(40),
    token: { epoch: 0, seq: 1 },
    files: FILES,
    unknown: [],
    refusesUnknown: true,
    mayGoBack: false,
  }
  const inputs = {
    ...NO_INPUTS,
    git: new Map(git === undefined ? [] : [[gitSourceId(git), snapshot]]),
    folders: new Map([["/generated", { key: "k", files: FILES }]]),
  }
  const [source] = namedProjections(settings, NO_STORE)[0]?.sources ?? []
  const given = await source?.assemble(inputs)
  return Object.fromEntries(
    (given?.files ?? []).map(({ path, mode, origin }) => [path, `${mode.toString(8)} ${origin}`]),
  )
}

describe.each([
  ["a git branch", "git: {url: /r, branch: main}"],
  ["a folder", "folder: /generated"],
])("items of %s", (_, source) => {
  it("choose files by their paths, with places and modes of their own", async () => {
    const items = "[{key: jobs/a.yaml, path: first, mode: '0400'}, {key: README, path: docs/README}]"
    expect(await placed(`{${source}, under: x, items: ${items}}`)).toEqual({
      "x/first": "400 jobs/a.yaml",
      "x/docs/README": "444 README",
    })
  })

  it("wait for a file that is absent, unless the source is optional", async () => {
    const items = "items: [{key: README, path: README}, {key: gone, path: gone}]"
    await expect(placed(`{${source}, ${items}}`)).rejects.toThrow("key gone: it has no such key")
    expect(await placed(`{${source}, ${items}, optional: true}`)).toEqual({ README: "444 README" })
  })
})
