import { mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { gzipSync } from "node:zlib"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { connectCluster } from "@headrace/shared/kube/client-node/connect-cluster"
import { openLightClient } from "@headrace/shared/kube/light/open-light-client"
import { createLog } from "@headrace/shared/observe/log"
import { describe, expect, it } from "vitest"
import { type BootstrapperRun, runBootstrapper } from "../harness/run-bootstrapper.ts"
import { withFolder } from "../harness/with-folder.ts"
import { withKube } from "../harness/with-kube.ts"
import { withRepo } from "../harness/with-repo.ts"

const RULES = `config_updater:
  maps:
    a/*: {name: plain, clusters: {east: [ci]}}
    b/*: {name: packed, gzip: true, clusters: {east: [ci]}}
`
const PROW_LABELS = { "app.kubernetes.io/name": "prow", "app.kubernetes.io/component": "updateconfig-plugin" }

async function withFiles<T>(files: Record<string, string>, use: (folder: string) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), content)
    }
    return use(folder)
  })
}

describe("plan", () => {
  const plan = (folder: string, ...args: string[]) =>
    runBootstrapper(["plan", "--source-path", folder, "--rules", join(folder, "rules.yaml"), ...args])

  it("prints every ConfigMap, sorted, with file, gzip and size before compression", async () => {
    await withFiles({ "rules.yaml": RULES, "a/x": "12345", "b/y": "123" }, async (folder) => {
      const run = await plan(folder, "-o", "json")

      expect(run).toMatchObject({ code: 0, stderr: "" })
      expect(JSON.parse(run.stdout)).toEqual([
        {
          cluster: "east",
          namespace: "ci",
          name: "packed",
          keys: { y: { file: "b/y", gzip: true, bytes: 3 } },
        },
        {
          cluster: "east",
          namespace: "ci",
          name: "plain",
          keys: { x: { file: "a/x", gzip: false, bytes: 5 } },
        },
      ])
    })
  })

  it("prints with --changes only the keys that they touch", async () => {
    const changes = [{ filename: "b/new", previous_filename: "a/old", status: "renamed", additions: 0 }]
    const files = { "rules.yaml": RULES, "b/new": "1", "a/x": "2", "changes.json": JSON.stringify(changes) }
    await withFiles(files, async (folder) => {
      const run = await plan(folder, "-o", "json", "--changes", join(folder, "changes.json"))

      expect(JSON.parse(run.stdout)).toEqual([
        {
          cluster: "east",
          namespace: "ci",
          name: "packed",
          keys: { new: { file: "b/new", gzip: true, bytes: 1 } },
        },
        {
          cluster: "east",
          namespace: "ci",
          name: "plain",
          keys: { old: { file: null, gzip: false, bytes: 0 } },
        },
      ])
    })
  })

  it("takes a file from the first source path that has it", async () => {
    await withFiles(
      { "one/a/x": "1", "two/a/x": "22", "two/a/z": "333", "rules.yaml": RULES },
      async (folder) => {
        const sources = ["--source-path", join(folder, "one"), "--source-path", join(folder, "two")]
        const run = await runBootstrapper([
          "plan",
          ...sources,
          "--rules",
          join(folder, "rules.yaml"),
          "-o",
          "json",
        ])

        expect(JSON.parse(run.stdout)[1].keys).toEqual({
          x: { file: "a/x", gzip: false, bytes: 1 },
          z: { file: "a/z", gzip: false, bytes: 3 },
        })
      },
    )
  })

  it("exits with 1 and names a mistake in the rules, and one in the files beside what it could plan", async () => {
    await withFiles({ "rules.yaml": RULES.replace("name: plain", "nmae: plain") }, async (folder) => {
      expect(await plan(folder)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining('rules.yaml:3:11: error: unknown field "nmae"'),
      })
    })
    await withFiles({ "rules.yaml": RULES, "a/with space": "1", "b/y": "1" }, async (folder) => {
      const run = await plan(folder, "-o", "json")
      expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining("plan/illegal-key") })
      expect(JSON.parse(run.stdout)).toMatchObject([{ name: "packed" }])
    })
  })

  it("exits with 2 when it is misused", async () => {
    await withFiles({ "rules.yaml": RULES, "changes.json": "{}" }, async (folder) => {
      const misuses = await Promise.all([
        runBootstrapper(["plan"]),
        plan(folder, "-o", "xml"),
        plan(folder, "--changes", join(folder, "changes.json")),
        runBootstrapper(["plan", "--source-path", folder, "--rules", "absent.yaml"]),
        runBootstrapper(["plan", "--source-path", join(folder, "absent"), "--rules", "rules.yaml"]),
      ])
      expect(misuses.map((run) => run.code)).toEqual([2, 2, 2, 2, 2])
    })
  })
})

describe("check", () => {
  it("fails for an error, for a warning only when strict, and annotates for GitHub", async () => {
    const overlapping = `${RULES}    a/x*: {name: other}\n`
    await withFiles({ "rules.yaml": overlapping, "a/x1": "1", "b/y": "1" }, async (folder) => {
      const args = ["check", "--source-path", ".", "--rules", "rules.yaml"]
      const [lenient, strict, github] = await Promise.all([
        runBootstrapper(args, folder),
        runBootstrapper([...args, "--strict"], folder),
        runBootstrapper([...args, "-o", "github"], folder),
      ])

      expect([lenient.code, strict.code, github.code]).toEqual([0, 1, 0])
      expect(lenient.stdout).toContain("rules.yaml:5:5: warning: 1 of the files")
      expect(lenient.stdout).toContain("east/ci/plain: 1 key, 41 bytes, 1048535 left")
      expect(github.stdout).toContain(
        "::warning file=rules.yaml,line=5,col=5,title=rules/overlap::1 of the files",
      )
    })
  })

  it("says what a branch changes since its merge base, rules and all, and leaves the repository alone", async () => {
    await withRepo(async (repo) => {
      await repo.commit({ "rules.yaml": RULES, "a/x": "1", "a/gone": "1", "b/y": "1" })
      await repo.git("checkout", "--quiet", "-b", "topic")
      const renamed = RULES.replace("name: packed", "name: repacked")
      await repo.commit({ "rules.yaml": renamed, "a/x": "2", "a/gone": null, "a/new": "1" })
      await repo.git("checkout", "--quiet", "main")
      await repo.commit({ "a/meanwhile": "1" })
      await repo.git("checkout", "--quiet", "topic")
      const before = await repo.git("status", "--porcelain=v2", "--branch")

      const args = ["check", "--source-path", ".", "--rules", "rules.yaml", "--base", "main", "-o", "json"]
      const run = await runBootstrapper(args, repo.folder)

      expect(run.code).toBe(0)
      expect(JSON.parse(run.stdout).changes).toEqual([
        { cluster: "east", namespace: "ci", name: "packed", added: [], changed: [], removed: ["y"] },
        {
          cluster: "east",
          namespace: "ci",
          name: "plain",
          added: ["new"],
          changed: ["x"],
          removed: ["gone"],
        },
        { cluster: "east", namespace: "ci", name: "repacked", added: ["y"], changed: [], removed: [] },
      ])
      expect(await repo.git("status", "--porcelain=v2", "--branch")).toBe(before)
    })
  })

  it("reads a ref of a repository by its URL, and names files as the repository does", async () => {
    await withRepo(async (repo) => {
      await repo.commit({ "deep/rules.yaml": RULES.replace("name: plain", "nmae: plain") })
      const args = ["check", "--repo", repo.folder, "--ref", "main", "--rules", "deep/rules.yaml"]
      const run = await runBootstrapper(args)

      expect(run.code).toBe(1)
      expect(run.stdout).toMatch(/^deep\/rules\.yaml:3:11: error: unknown field "nmae"/)
    })
  })

  it("exits with 2 when it is misused", async () => {
    expect((await runBootstrapper(["check", "--rules", "r.yaml"])).code).toBe(2)
    expect((await runBootstrapper(["check"])).code).toBe(2)
  })
})

describe("diff", () => {
  /** A ConfigMap as Prow writes it; Go's gzip has another header and other compressed bytes than ours. */
  function written(
    name: string,
    data: Record<string, string>,
    packed: Record<string, string> = {},
  ): ConfigMap {
    const binaryData = Object.entries(packed).map(([key, text]) => {
      const bytes = gzipSync(text, { level: 1 })
      bytes[9] = 0xff
      return [key, bytes.toString("base64")] as const
    })
    return {
      metadata: { name, namespace: "ci", labels: PROW_LABELS },
      data: { VERSION: "0".repeat(40), ...data },
      binaryData: Object.fromEntries(binaryData),
    }
  }

  async function diff(configMaps: ConfigMap[], files: Record<string, string>, ...args: string[]) {
    return withKube((kube) =>
      withFiles(
        { "rules.yaml": RULES, ...files },
        async (folder): Promise<BootstrapperRun & { writes: number }> => {
          const settings = `version: 1\nsources: {}\nclusters: {east: {kubeconfig: ${kube.kubeconfigFile}, namespaces: [ci]}}\n`
          await writeFile(join(folder, "headrace.yaml"), settings)
          const log = createLog("test", { level: "silent" })
          const writer = await connectCluster("east", { kubeconfig: kube.kubeconfigFile }, log)
          for (const configMap of configMaps) await writer.create(configMap)
          const light = await openLightClient({ kubeconfig: kube.kubeconfigFile, log })
          const before = await light.list("ci", {})
          const flags = [
            "--source-path",
            folder,
            "--rules",
            "rules.yaml",
            "--config",
            join(folder, "headrace.yaml"),
          ]
          const run = await runBootstrapper(["diff", ...flags, ...args], folder)
          const after = await light.list("ci", {})
          light.close()
          writer.close()
          return { ...run, writes: Number(after.resourceVersion) - Number(before.resourceVersion) }
        },
      ),
    )
  }

  it("is empty, and exits with 0, where Prow has been right", async () => {
    const configMaps = [written("plain", { x: "one\n" }), written("packed", {}, { y: "two\n" })]

    expect(await diff(configMaps, { "a/x": "one\n", "b/y": "two\n" })).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "",
      writes: 0,
    })
  })

  it("shows added, changed and removed keys, text after gunzip as a unified diff, and writes nothing", async () => {
    const configMaps = [
      written("plain", { x: "one\n", stale: "s" }),
      written("packed", {}, { y: "old\nsame\n" }),
    ]

    const run = await diff(configMaps, { "a/x": "one\n", "a/z": "new", "b/y": "new\nsame\n" }, "-o", "json")

    expect(run).toMatchObject({ code: 1, writes: 0 })
    expect(JSON.parse(run.stdout)).toMatchObject([
      {
        name: "packed",
        state: "present",
        keys: { y: { kind: "changed", diff: expect.stringContaining("-old\n+new\n same") } },
      },
      { name: "plain", state: "present", keys: { stale: { kind: "removed" }, z: { kind: "added" } } },
    ])
  })

  it("distinguishes content from its encoding, foreign keys, absent ConfigMaps and those of others", async () => {
    const others = {
      ...written("plain", { x: "theirs", more: "1" }),
      metadata: { name: "plain", namespace: "ci" },
    }

    const run = await diff([others], { "a/x": "ours", "b/y": "two" })
    expect(run.code).toBe(1)
    expect(run.stdout).toContain("east/ci/packed (does not exist)\n  added y: 3 bytes")
    expect(run.stdout).toContain("east/ci/plain (not ours: nothing is written before adopt)\n  foreign more")

    const kept = await diff([written("plain", { extra: "1" })], {}, "--keep-foreign", "-o", "json")
    expect(JSON.parse(kept.stdout)).toMatchObject([{ name: "plain", keys: { extra: { kind: "foreign" } } }])

    const unpacked = await diff([written("packed", { y: "two" })], { "b/y": "two" })
    expect(unpacked.stdout).toContain("changed y: the same content, to be compressed")
  })
})
