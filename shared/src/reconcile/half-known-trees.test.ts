import { rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { reconcilePorts } from "@headrace/test/harness/reconcile-ports"
import { withMirror } from "@headrace/test/harness/with-mirror"
import type { Changes, TestRepo } from "@headrace/test/harness/with-repo"
import { describe, expect, it } from "vitest"
import { inProcessClient } from "../../../config/local/embedded-kube/in-process-client.ts"
import { ObjectStore } from "../../../config/local/embedded-kube/object-store.ts"
import { reconcile } from "./reconcile.ts"

const RULES = `
config_updater:
  maps:
    current/*.yaml: {name: alpha, clusters: {east: [ci]}}
    elsewhere/*: {name: beta, clusters: {east: [ci]}}
`
const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"ab".repeat(32)}\nsize 1234\n`
/** As git-lfs wrote them, and still reads them: by earlier names, with CRLF, an extension, or an empty line before. */
const OTHER_POINTERS = [
  POINTER.replace("git-lfs", "hawser"),
  POINTER.replace("https://git-lfs.github.com/spec/v1", "http://git-media.io/v/2"),
  POINTER.replaceAll("\n", "\r\n"),
  POINTER.replace("oid", `ext-0-case sha256:${"cd".repeat(32)}\noid`),
  `\n${POINTER}`,
]
const FILES = 15
const quiet = new AbortController().signal

function each(at: (index: number) => string, content: Changes[string]): Changes {
  return Object.fromEntries(Array.from({ length: FILES }, (_, index) => [at(index), content]))
}

const IN_FOLDER: Changes = each((index) => `current/${index}.yaml`, "v1")
const THROUGH_LINK: Changes = {
  ...each((index) => `releases/v1/${index}.yaml`, "v1"),
  current: { link: "releases/v1" },
}
const BACK: Changes = { ...each((index) => `current/${index}.yaml`, null), current: null }

/** Writes a path that is not UTF-8 and commits it. */
async function commitRaw(repo: TestRepo, path: Buffer): Promise<void> {
  await writeFile(Buffer.concat([Buffer.from(`${repo.folder}/`), path]), "v1")
  await repo.commit({})
}

/** How it began, what became of it, and the code of what fails. */
const CASES: [name: string, before: Changes, change: (repo: TestRepo) => Promise<unknown>, code: string][] = [
  [
    "a link to a folder dangles",
    THROUGH_LINK,
    (repo) => repo.commit({ releases: null, ...each((index) => `releases/v2/${index}.yaml`, "v1") }),
    "git/link-dangling",
  ],
  [
    "a link through which the folder's link led dangles",
    { ...THROUGH_LINK, releases: { link: "real" }, ...each((index) => `real/v1/${index}.yaml`, "v1") },
    (repo) => repo.commit({ real: null, ...each((index) => `other/${index}.yaml`, "v1") }),
    "git/link-dangling",
  ],
  [
    "the folder becomes links in a circle",
    IN_FOLDER,
    (repo) => repo.commit({ ...BACK, current: { link: "ring" }, ring: { link: "current" } }),
    "git/link-cyclic",
  ],
  [
    "the folder becomes a link out of the repository",
    IN_FOLDER,
    (repo) => repo.commit({ ...BACK, current: { link: "../elsewhere" } }),
    "git/link-outside",
  ],
  [
    "the folder becomes a submodule",
    IN_FOLDER,
    async (repo) => {
      await repo.commit(BACK)
      await repo.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},current`)
      await repo.git("commit", "--quiet", "--message", "submodule")
    },
    "git/submodule",
  ],
  [
    "the link's folder becomes a submodule",
    THROUGH_LINK,
    async (repo) => {
      await repo.commit({ "releases/v1": null })
      await repo.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},releases/v1`)
      await repo.git("commit", "--quiet", "--message", "submodule")
    },
    "git/submodule",
  ],
  [
    "files become Git LFS pointers",
    IN_FOLDER,
    (repo) =>
      repo.commit({ ".gitattributes": "*.yaml filter=lfs\n", ...each((i) => `current/${i}.yaml`, POINTER) }),
    "git/lfs-pointer",
  ],
  [
    "files become Git LFS pointers that no attribute names",
    IN_FOLDER,
    (repo) => repo.commit(each((index) => `current/${index}.yaml`, POINTER)),
    "git/lfs-pointer",
  ],
  [
    "files become Git LFS pointers as others write them",
    IN_FOLDER,
    (repo) => repo.commit(Object.fromEntries(OTHER_POINTERS.map((text, i) => [`current/${i}.yaml`, text]))),
    "git/lfs-pointer",
  ],
  [
    "files become Git LFS pointers behind a link",
    THROUGH_LINK,
    (repo) => repo.commit(each((index) => `releases/v1/${index}.yaml`, POINTER)),
    "git/lfs-pointer",
  ],
  [
    "a file's name is no UTF-8 any more",
    IN_FOLDER,
    async (repo) => {
      await rm(join(repo.folder, "current/0.yaml"))
      await commitRaw(repo, Buffer.from("current/\xe9.yaml", "latin1"))
    },
    "git/bad-path",
  ],
  [
    "the folder's name is no UTF-8 any more",
    IN_FOLDER,
    async (repo) => {
      await rename(join(repo.folder, "current"), Buffer.from(`${repo.folder}/curr\xe9nt`, "latin1"))
      await repo.commit({})
    },
    "git/bad-path",
  ],
]

describe("a half-known tree", () => {
  it.each(CASES)("keeps what is written and fails by name when %s", (_, before, change, code) =>
    withMirror(async (mirror, repo) => {
      await repo.commit({ "rules.yaml": RULES, "elsewhere/x": "1", ...before })
      const kube = inProcessClient(new ObjectStore({ createNamespaces: true }))
      const guard = { deletedKeys: 0.2, deletedConfigMaps: 0.2, atLeast: 20 }
      const ports = reconcilePorts({ kube, repository: mirror, settings: { guard } })
      const run = () => reconcile({ cluster: "east", source: "release", mode: "incremental" }, ports, quiet)
      async function keys(): Promise<string[]> {
        return Object.keys((await kube.get("ci", "alpha"))?.data ?? {}).sort()
      }
      expect(await run()).toMatchObject({ result: "applied", failed: [] })
      const written = await keys()
      expect(written).toHaveLength(FILES + 1)

      await repo.commit({ "elsewhere/x": "2" })
      await change(repo)
      expect(await run()).toMatchObject({
        result: "applied",
        failed: [{ target: "ci/alpha", reason: expect.stringContaining(`[${code}]`) }],
      })
      expect(await keys()).toEqual(written)
      // What no rule of the other one can match there does not concern it.
      expect((await kube.get("ci", "beta"))?.data).toMatchObject({ x: "2" })
    }),
  )
})
