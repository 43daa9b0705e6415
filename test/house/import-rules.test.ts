import { copyFile, mkdir, symlink, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { describe, expect, it } from "vitest"
import { withFolder } from "../harness/with-folder.ts"
import { findViolations } from "./find-violations.ts"
import { AGENT_FLOORS, IMPORT_RULES, RECONCILE_FLOORS, SHARED_FLOORS } from "./import-rules.ts"
import { readImports } from "./read-imports.ts"
import { sourceFiles } from "./source-files.ts"

const ROOT = join(import.meta.dirname, "../..")
const PACKAGES = ["shared", "plugin", "bootstrapper", "agent", "config", "test"]

/** For each rule: a file, what it imports, and the file that is there to be imported. */
const BROKEN: Record<string, { file: string; imports: string; target?: string }[]> = {
  "shared-imports-no-sibling": [
    { file: "shared/src/git/a.ts", imports: "@headrace/plugin/b", target: "plugin/src/b.ts" },
    { file: "shared/src/git/a.ts", imports: "../../../agent/src/b.ts", target: "agent/src/b.ts" },
    { file: "shared/src/git/a.ts", imports: "../../../config/local/b.ts", target: "config/local/b.ts" },
    { file: "shared/src/git/a.ts", imports: "@headrace/test/harness/b", target: "test/harness/b.ts" },
  ],
  "plugin-imports-only-shared": [
    { file: "plugin/src/a.ts", imports: "@headrace/agent/b", target: "agent/src/b.ts" },
  ],
  "bootstrapper-imports-only-shared": [
    { file: "bootstrapper/src/a.ts", imports: "@headrace/config/local/b", target: "config/local/b.ts" },
  ],
  "agent-imports-only-shared": [
    { file: "agent/src/a.ts", imports: "../../bootstrapper/src/b.ts", target: "bootstrapper/src/b.ts" },
  ],
  "config-by-path": [
    { file: "shared/src/kube/a.test.ts", imports: "@headrace/config/local/b", target: "config/local/b.ts" },
  ],
  ...brokenFloors("shared-floors", "shared/src", SHARED_FLOORS),
  ...brokenFloors("agent-floors", "agent/src", AGENT_FLOORS),
  ...brokenFloors("reconcile-floors", "shared/src/reconcile", RECONCILE_FLOORS),
  "listed-folders": [
    { file: "shared/src/utils/a.ts", imports: "node:fs" },
    { file: "agent/src/manager/deep/a.ts", imports: "node:fs" },
    { file: "shared/src/reconcile/misc/a.ts", imports: "node:fs" },
  ],
  "reconcile-top-is-above": [
    {
      file: "shared/src/reconcile/rollout/a.ts",
      imports: "../b.ts",
      target: "shared/src/reconcile/b.ts",
    },
  ],
  "decide-writes-nothing": ["reconcile/write", "reconcile/operate", "kube/client-node", "lanes"].map(
    (folder) => ({
      file: "shared/src/reconcile/decide/a.ts",
      imports: `@headrace/shared/${folder}/b`,
      target: `shared/src/${folder}/b.ts`,
    }),
  ),
  "publish-knows-no-network": [
    { file: "agent/src/publish/a.ts", imports: "@headrace/shared/kube/b", target: "shared/src/kube/b.ts" },
    { file: "agent/src/disk/a.ts", imports: "node:net" },
    { file: "agent/src/store/a.ts", imports: "https" },
  ],
  "agent-stays-small": [
    { file: "agent/src/project/a.ts", imports: "@octokit/rest" },
    { file: "agent/src/project/a.ts", imports: "@kubernetes/client-node" },
    { file: "agent/src/main.ts", imports: "@headrace/shared/lanes/b", target: "shared/src/lanes/b.ts" },
  ],
  "lanes-know-redis": [
    { file: "shared/src/reconcile/a.ts", imports: "bullmq" },
    { file: "plugin/src/work/a.ts", imports: "ioredis" },
  ],
  "one-client-node-adapter": [
    { file: "shared/src/kube/a.ts", imports: "@kubernetes/client-node" },
    { file: "bootstrapper/src/a.ts", imports: "@kubernetes/client-node/dist/gen/index.js" },
  ],
  "one-way-to-native-calls": [
    { file: "agent/src/disk/a.ts", imports: "koffi" },
    { file: "agent/src/ops/a.ts", imports: "node:module" },
  ],
}

function brokenFloors(name: string, base: string, order: string[]) {
  return Object.fromEntries(
    order.slice(0, -1).map((folder, floor) => [
      `${name}/${folder}`,
      order.slice(floor + 1).map((next) => ({
        file: `${base}/${folder}/a.ts`,
        imports: join(folder, "..", "..", next, "b.ts"),
        target: `${base}/${next}/b.ts`,
      })),
    ]),
  )
}

type BrokenBy = (files: Record<string, string>) => Promise<string[]>

/** Gives the action what writes files into a project with the packages of this one, and names the rules they break. */
async function withProject(action: (brokenBy: BrokenBy) => Promise<void>): Promise<void> {
  await withFolder(async (root) => {
    await mkdir(join(root, "node_modules/@headrace"), { recursive: true })
    for (const name of PACKAGES) {
      await mkdir(join(root, name), { recursive: true })
      await copyFile(join(ROOT, name, "package.json"), join(root, name, "package.json"))
      await symlink(join(root, name), join(root, "node_modules/@headrace", name))
    }
    await action(async (files) => {
      for (const [file, text] of Object.entries(files)) {
        await mkdir(dirname(join(root, file)), { recursive: true })
        await writeFile(join(root, file), text)
      }
      return findViolations(readImports(root, Object.keys(files)), IMPORT_RULES).map(({ rule }) => rule)
    })
  })
}

const FORMS = {
  import: (to: string) => `import { b } from "${to}"\nb()`,
  "import type": (to: string) => `import type { B } from "${to}"\nexport type C = B`,
  "side effect": (to: string) => `import "${to}"`,
  "re-export": (to: string) => `export { b } from "${to}"`,
  "re-export of all": (to: string) => `export * from "${to}"`,
  dynamic: (to: string) => `export async function a() {\n  using b = await import("${to}")\n  return b\n}`,
  template: (to: string) => `export const a = () => import(\`${to}\`)`,
  "type in place": (to: string) => `export type A = import("${to}").B`,
  "typeof in place": (to: string) => `export type A = ReturnType<typeof import("${to}").b>`,
  require: (to: string) => `export const a = require("${to}")`,
  createRequire: (to: string) => `export const a = createRequire(import.meta.url)("${to}")`,
  "import.meta.resolve": (to: string) => `export const a = import.meta.resolve("${to}")`,
}

describe("the rules of imports", () => {
  it("hold in the project", () => {
    expect(findViolations(readImports(ROOT, sourceFiles(ROOT)), IMPORT_RULES)).toEqual([])
  })

  it("are each broken below", () => {
    expect(IMPORT_RULES.map(({ name }) => name).sort()).toEqual(Object.keys(BROKEN).sort())
  })

  it.for(Object.entries(BROKEN))("%s is seen to be broken", async ([rule, cases]) => {
    expect(cases.length).toBeGreaterThan(0)
    await withProject(async (brokenBy) => {
      for (const { file, imports, target } of cases) {
        const files = { [file]: FORMS.import(imports), ...(target && { [target]: "export function b() {}" }) }
        expect(await brokenBy(files), `${file} imports ${imports}`).toContain(rule)
      }
    })
  })

  it.for(Object.entries(FORMS))("see an import written as %s", async ([, form]) => {
    await withProject(async (brokenBy) => {
      expect(await brokenBy({ "shared/src/git/a.ts": form("bullmq") })).toEqual(["lanes-know-redis"])
    })
  })

  it("let tests import what they test with", async () => {
    const files = {
      "shared/src/git/a.test.ts": `import { b } from "../../../config/local/b.ts"\nimport { Queue } from "bullmq"`,
      "config/local/b.ts": "export const b = 1",
    }
    await withProject(async (brokenBy) => expect(await brokenBy(files)).toEqual([]))
  })

  it("see a circle of three files, of which one imports a type", async () => {
    const files = {
      "shared/src/git/a.ts": `import "./b.ts"`,
      "shared/src/git/b.ts": `export * from "./c.ts"`,
      "shared/src/git/c.ts": `import type { A } from "./a.ts"`,
      "shared/src/git/d.ts": `import "./a.ts"`,
    }
    await withProject(async (brokenBy) => expect(await brokenBy(files)).toEqual(["no-circles"]))
  })

  it("see an import of a file that is not there", async () => {
    await withProject(async (brokenBy) => {
      expect(await brokenBy({ "shared/src/git/a.ts": `import "./gone.ts"` })).toEqual(["found"])
      expect(await brokenBy({ "test/a.ts": `import "@headrace/shared/git/gone"` })).toEqual(["found"])
    })
  })
})
