import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { NO_INPUTS } from "@headrace/agent/assemble/inputs"
import { createStoreReader, type StoreReader } from "@headrace/agent/assemble/store-reader"
import { createProjection, type Projection } from "@headrace/agent/project/projection"
import { namedProjections } from "@headrace/agent/project/projection-spec"
import { createPublishLimits } from "@headrace/agent/project/publish-limits"
import { believe } from "@headrace/agent/watch/watch-record"
import type { ConfigMap } from "@headrace/shared/foundation/config-map"
import { errorText, HeadraceError } from "@headrace/shared/foundation/errors"
import { createLog } from "@headrace/shared/observe/log"
import { AgentSettings } from "@headrace/shared/settings/agent-settings"
import { parseSettings } from "@headrace/shared/settings/parse-settings"
import { projectionYaml } from "../harness/with-agent.ts"
import { NAMESPACE, SOURCE } from "../harness/write-revision.ts"

export interface NodeTrust {
  keys: string[]
  clusters: string[]
  /** Milliseconds. */
  maxAge: number
}

/** A node of one projection, as the agent runs it from the record that it has read to what its disk shows. */
export interface ForgedNode {
  /** Has it look at a record and a store; gives the code of why it shows nothing of them, undefined: it does. */
  look(seen: { record: ConfigMap; store: ReadonlyMap<string, ConfigMap> }): Promise<string | undefined>
  /** What it said at the last look, code, message and hint; undefined: nothing. */
  message(): string | undefined
  /** What readers see, by path. */
  shown(): Record<string, string>
  close(): Promise<void>
}

const SILENT = createLog("agent", { level: "silent" })

/** Without `trust` the agent believes any record, as an agent without the setting does. */
export function forgedNode(folder: string, trust: NodeTrust | undefined, now: () => number): ForgedNode {
  const settings = parseSettings(
    projectionYaml(folder, "[{configMap: ci/alpha}]"),
    "agent.yaml",
    AgentSettings,
  )
  const clock = { now, sleep: async () => {} }
  const { signal } = new AbortController()
  let store: StoreReader
  // Each look reads the store as it then is: what is cached by digest was verified by digest.
  const reading: StoreReader = {
    bounds: settings.bounds,
    index: (digest) => store.index(digest),
    listing: (shard) => store.listing(shard),
    content: (file) => store.content(file),
    learnIndex: () => undefined,
    learnListing: () => undefined,
    keepOnly: () => undefined,
  }
  const [spec] = namedProjections(settings, reading)
  if (spec === undefined) throw new Error("no projection")
  const projection: Projection = createProjection(spec, {
    store: reading,
    clock,
    log: SILENT,
    limits: createPublishLimits(() => undefined),
    jitter: 0,
    maxAge: trust?.maxAge,
  })
  let message: string | undefined
  return {
    message: () => message,
    async look(seen) {
      const reader = { get: async (_: string, name: string) => seen.store.get(name) }
      store = createStoreReader({ reader, namespace: NAMESPACE, signal })
      try {
        const place = { namespace: NAMESPACE, name: SOURCE, trust }
        const { record, origin, uid, signature } = await believe(seen.record, place, now())
        const inputs = {
          ...NO_INPUTS,
          record,
          recordOrigin: origin,
          recordUid: uid,
          recordSignature: signature,
        }
        await projection.show(inputs, signal)
        message = undefined
        return undefined
      } catch (error) {
        message = `${errorText(error)} → ${error instanceof HeadraceError ? error.hint : ""}`
        return codeOf(error)
      }
    },
    shown() {
      const data = join(folder, "shown", "..data")
      if (!existsSync(data)) return {}
      return Object.fromEntries(
        readdirSync(data).map((name) => [name, readFileSync(join(data, name), "utf8")]),
      )
    },
    close: () => projection.close(),
  }
}

/** The code of the last cause: what a refusal rests on. */
function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: string; cause?: unknown }
  if (cause !== undefined && (cause as { code?: string }).code?.includes("/")) return codeOf(cause)
  return code ?? String(error)
}
