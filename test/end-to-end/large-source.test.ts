import { createHash } from "node:crypto"
import type { ObjectStore } from "@headrace/config/local/embedded-kube/object-store"
import { CONFIG_MAPS } from "@headrace/config/local/embedded-kube/resource-kind"
import { expect, it } from "vitest"
import { runBootstrapperProcess } from "../harness/run-bootstrapper.ts"
import { type Operator, withOperator } from "../harness/with-operator.ts"

/** 200 in the long form. */
const SOURCE_MIB = Number(process.env.HEADRACE_LARGE_SOURCE_MIB ?? 8)
const MIB = 1024 * 1024
const FILE_BYTES = 20 * 1024
const FILES = Math.round((SOURCE_MIB * MIB) / FILE_BYTES)
/** About 800 KiB of files each. */
const CONFIG_MAPS_OF_IT = Math.max(1, Math.round((SOURCE_MIB * 10) / 8))
/** What the writer may take in memory, whatever the size of the source. */
const MEMORY_MIB = 450
/** Makes a program say at its end what memory it took at most. */
const TELL_MEMORY = `--import data:text/javascript,${encodeURIComponent(
  'process.on("exit",()=>process.stderr.write("peak "+process.resourceUsage().maxRSS+" KiB\\n"))',
)}`

/** Text that does not compress to nothing: hex of hashes. */
function text(seed: string): string {
  const hash = createHash("sha512").update(seed).digest()
  let content = ""
  for (let line = 0; content.length < FILE_BYTES; line++) {
    content += `${createHash("sha512").update(hash).update(String(line)).digest("hex")}\n`
  }
  return content.slice(0, FILE_BYTES)
}

function pathOf(file: number): string {
  return `data/${file % 100}/${file}.txt`
}

/** Everything there is, to its version. */
function versions(store: ObjectStore): Map<string, string> {
  const found = store.list(CONFIG_MAPS, "")
  return new Map(
    found.map(({ metadata }) => [`${metadata.namespace}/${metadata.name}`, String(metadata.resourceVersion)]),
  )
}

/** What was written in between, digests cut off: name to how many. */
function written(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const names = [...after].filter(([name, version]) => before.get(name) !== version).map(([name]) => name)
  const kinds = names.map((name) => name.replace(/-[0-9a-f]{40}$/, "").replace(/\d+$/, "N"))
  return Object.fromEntries(
    Object.entries(Object.groupBy(kinds, (kind) => kind)).map(([k, v]) => [k, v?.length]),
  )
}

/** A process of its own: reconciles, and reports what it did and how much memory it took. */
async function apply({ config }: Operator, ...flags: string[]) {
  const start = performance.now()
  const { code, stdout, stderr } = await runBootstrapperProcess(
    ["apply", "--direct", ...flags, "-o", "json", "--config", config],
    undefined,
    { NODE_OPTIONS: TELL_MEMORY },
  )
  expect(stderr).not.toContain("rror")
  expect(code).toBe(0)
  const peak = Math.round(Number(/peak (\d+) KiB/.exec(stderr)?.[1]) / 1024)
  const seconds = Math.round((performance.now() - start) / 1000)
  process.stdout.write(
    `  ${SOURCE_MIB} MiB, apply ${flags.join(" ")}: ${seconds} s, ${peak} MiB resident at most\n`,
  )
  return { peak, places: JSON.parse(stdout) }
}

it(
  "carries a large source in bounded memory, and a change of one file as one shard",
  { timeout: 900_000 },
  () =>
    withOperator(async (operator) => {
      const { repo, kube } = operator
      const names = Array.from({ length: CONFIG_MAPS_OF_IT }, (_, index) => `part-${index}`).join(", ")
      const rule = `partitioned_names: [${names}], use_full_path_as_key: true, gzip: true, clusters: {east: [ci]}`
      const rules = `config_updater:\n  maps:\n    "data/**": {${rule}}\n`
      const files = Array.from({ length: FILES }, (_, file) => [pathOf(file), text(`first ${file}`)])
      const first = await repo.commit({ "rules.yaml": rules, ...Object.fromEntries(files) })
      const scratch = await apply(operator)
      expect(scratch.places).toMatchObject([{ result: "applied", commit: first, failed: [] }])
      expect(scratch.peak).toBeLessThan(MEMORY_MIB)
      const stored = versions(kube.store)
      expect(stored.size).toBeGreaterThan(SOURCE_MIB * 4)

      const second = await repo.commit({ [pathOf(7)]: text("second") })
      const change = await apply(operator, "--incremental")
      expect(change.places).toMatchObject([{ result: "applied", commit: second, failed: [] }])
      const changed = versions(kube.store)
      expect(written(stored, changed)).toEqual({
        "headrace/shard": 1,
        // The target's, and the root that names it.
        "headrace/index": 2,
        "ci/part-N": 1,
        "headrace/release": 1,
      })
      expect(change.peak).toBeLessThan(MEMORY_MIB)

      kube.requests.reset()
      const rebuild = await apply(operator)
      expect(rebuild.places).toMatchObject([{ result: "noop", written: 0 }])
      expect(kube.requests.get("get", "configmaps")).toBeGreaterThan(CONFIG_MAPS_OF_IT)
      expect(kube.requests.writes()).toBe(0)
      expect(versions(kube.store)).toEqual(changed)
      expect(rebuild.peak).toBeLessThan(MEMORY_MIB)
    }),
)
