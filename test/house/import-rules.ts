import type { Import } from "./read-imports.ts"

/**
 * Who may import what, in one place; docs/architecture.md, "The house", has the reasons. `npm run check:imports`
 * holds every source file against these rules. Unit tests are free to import what they test with, save where a
 * rule says otherwise.
 */
export interface ImportRule {
  name: string
  /** Printed with every violation. */
  why: string
  forbids(found: Import): boolean
}

/** Each module of shared imports only modules before it. */
export const SHARED_FLOORS = [
  "foundation",
  "observe",
  "settings",
  "command-line",
  "rules",
  "plan",
  "gates",
  "bundle",
  "record",
  "rollout",
  "trust",
  "git",
  "kube",
  "reconcile",
  "lanes",
  "status",
]

/** Each folder of the agent imports only folders before it. Up to `read` they know no network. */
export const AGENT_FLOORS = [
  "disk",
  "store",
  "layout",
  "confine",
  "retain",
  "publish",
  "read",
  "assemble",
  "watch",
  "notify",
  "health",
  "report",
  "ops",
  "project",
  "git-sync",
  "k8s-sidecar",
  "commands",
]

/** Each stage of reconcile imports only stages before it; the files beside the folders use all of them. */
export const RECONCILE_FLOORS = ["run", "target", "store", "decide", "record", "write", "rollout", "operate"]

const PROGRAMS = ["plugin", "bootstrapper", "agent"]
const TEST = /\.test\.ts$/
const AGENT_DISK = /^agent\/src\/(disk|store|layout|retain|publish|read)\//

export const IMPORT_RULES: ImportRule[] = [
  shipped("shared-imports-no-sibling", "shared imports no other package of this project.", {
    from: /^shared\/src\//,
    to: /^(plugin|bootstrapper|agent|config|test)\//,
  }),
  ...PROGRAMS.map((program) =>
    shipped(`${program}-imports-only-shared`, `${program} imports no other package than shared.`, {
      from: new RegExp(`^${program}/src/`),
      to: new RegExp(`^(?!shared/|${program}/)(plugin|bootstrapper|agent|config|test)/`),
    }),
  ),
  {
    name: "config-by-path",
    why: "No package depends on config: its tests import it by relative path.",
    forbids: ({ from, specifier }) =>
      !/^(config|test)\//.test(from) && specifier.startsWith("@headrace/config"),
  },
  ...floors("shared-floors", "shared/src", SHARED_FLOORS),
  ...floors("agent-floors", "agent/src", AGENT_FLOORS),
  ...floors("reconcile-floors", "shared/src/reconcile", RECONCILE_FLOORS),
  shipped("listed-folders", "A new folder of shared, agent or reconcile takes a place among the floors.", {
    from: new RegExp(
      `^(shared/src/(?!(${SHARED_FLOORS.join("|")})/)|agent/src/(?!(${AGENT_FLOORS.join("|")})/)` +
        `|shared/src/reconcile/(?!(${RECONCILE_FLOORS.join("|")})/)).*/`,
    ),
    to: /./,
  }),
  shipped(
    "reconcile-top-is-above",
    "No stage of reconcile imports a file beside the folders: those use the stages.",
    {
      from: /^shared\/src\/reconcile\/[^/]+\//,
      to: /^shared\/src\/reconcile\/[^/]+\.ts$/,
    },
  ),
  shipped("decide-writes-nothing", "What decides reads through ports, and neither writes nor connects.", {
    from: /^shared\/src\/reconcile\/decide\//,
    to: /^shared\/src\/(reconcile\/(write|operate|record)\/|kube\/(light|client-node)\/|lanes\/)/,
  }),
  shipped(
    "publish-knows-no-network",
    "What publishes on the disk imports neither Kubernetes nor git nor a socket.",
    {
      from: AGENT_DISK,
      to: /^(shared\/src\/(kube|git|lanes|reconcile)\/|node:(http|https|http2|net|tls|dgram)$)/,
    },
  ),
  shipped("agent-stays-small", "The agent loads no queue, no client of GitHub, no client-node.", {
    from: /^agent\/src\//,
    to: /^(npm:(bullmq|ioredis|@octokit\/.*|@kubernetes\/client-node)$|shared\/src\/(lanes|reconcile|kube\/client-node)\/)/,
  }),
  shipped("lanes-know-redis", "Only lanes import BullMQ and Redis.", {
    from: /^(?!shared\/src\/lanes\/|config\/|test\/)/,
    to: /^npm:(bullmq|ioredis)$/,
  }),
  shipped(
    "one-client-node-adapter",
    "Only kube/client-node imports @kubernetes/client-node: importing it costs 90 MB.",
    {
      from: /^(?!shared\/src\/kube\/client-node\/|config\/|test\/)/,
      to: /^npm:@kubernetes\/client-node$/,
    },
  ),
  shipped(
    "one-way-to-native-calls",
    "Only agent/src/disk/load-koffi.ts imports koffi, or loads by createRequire.",
    {
      from: /^(?!agent\/src\/disk\/load-koffi\.ts$|config\/|test\/)/,
      to: /^(npm:koffi|node:module)$/,
    },
  ),
]

/** A rule for what is shipped: tests may import what it forbids. */
function shipped(name: string, why: string, { from, to }: { from: RegExp; to: RegExp }): ImportRule {
  return {
    name,
    why,
    forbids: (found) =>
      !TEST.test(found.from) && from.test(found.from) && to.test(found.to ?? found.specifier),
  }
}

function floors(name: string, base: string, order: string[]): ImportRule[] {
  return order.slice(0, -1).map((folder, floor) =>
    shipped(`${name}/${folder}`, `In ${base}, ${folder} imports only ${before(order, floor)}.`, {
      from: new RegExp(`^${base}/${folder}/`),
      to: new RegExp(`^${base}/(${order.slice(floor + 1).join("|")})/`),
    }),
  )
}

function before(order: string[], floor: number): string {
  return floor === 0 ? "itself" : order.slice(0, floor).join(", ")
}
