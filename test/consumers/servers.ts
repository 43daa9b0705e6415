import { Resolver } from "node:dns/promises"
import { mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { createNotifier } from "@headrace/agent/notify/notifier"
import { freePort } from "@headrace/config/local/free-port"
import { temporaryFolder } from "@headrace/config/local/temporary-folder"
import { systemClock } from "@headrace/shared/foundation/clock"
import { createLog } from "@headrace/shared/observe/log"
import { Notify } from "@headrace/shared/settings/agent-notify"
import { until } from "../harness/until.ts"
import { type Consumer, type Reading, type Report, type Running, rowOf } from "./consumer.ts"
import { seqOf, seqOfAddress } from "./revision-files.ts"
import { type Program, runQuiet } from "./run-program.ts"
import type { Site, Through } from "./site.ts"

/** How often a server is asked what it shows. */
const PROBE_EVERY = 20
/** Notices are not sent faster: the agent sends the next one when the one before has ended. */
const NOTICE_EVERY = 200
const RELOAD_HAPROXY = fileURLToPath(new URL("../../docs/recipes/reload-haproxy.sh", import.meta.url))

interface Server {
  program: Program
  /** What it shows now; undefined while it does not answer. */
  probe(): Promise<Reading | undefined>
  /** The signal that `notify` of the agent sends after a revision. */
  signal?: NodeJS.Signals
  /** In its place the command that `notify` of the agent runs after a revision. */
  exec?(pid: number): readonly string[]
}

/** Starts a server in each way, with a folder of its own, and reports what it shows whenever that changes. */
function serverConsumer(
  consumer: Omit<Consumer, "start">,
  configure: (site: Site, way: Through, own: string) => Promise<Server>,
): Consumer {
  return {
    ...consumer,
    start: async (site, report, through) => {
      const running = await Promise.all(
        through.map(async (way) => {
          const own = temporaryFolder("headrace-consumer-")
          return await follow(await configure(site, way, own), own, rowOf(consumer.name, way), report)
        }),
      )
      return {
        notify: () => {
          for (const each of running) each.notify?.()
        },
        stop: async () => void (await Promise.all(running.map((each) => each.stop()))),
      }
    },
  }
}

async function follow(server: Server, own: string, row: string, report: Report): Promise<Running> {
  const { pid, stop } = runQuiet(server.program)
  let isStopped = false
  let last: Reading | undefined
  const following = (async () => {
    while (!isStopped) {
      const reading = await server.probe().catch(() => undefined)
      if (reading !== undefined && (reading === "noticed" || reading !== last)) report(row, reading)
      last = reading ?? last
      await delay(PROBE_EVERY)
    }
  })()
  await until(() => last !== undefined, 60_000)
  const notifier = notifierOf(server, pid)
  return {
    ...notifier,
    stop: async () => {
      isStopped = true
      await following
      await notifier.stop()
      await stop()
      rmSync(own, { recursive: true, force: true })
    },
  }
}

/** Notifies a server as the agent does, if it has to be. */
function notifierOf({ signal, exec }: Server, pid: number): Omit<Running, "listens"> {
  if (exec !== undefined) return runsCommand(exec(pid))
  const stop = async () => undefined
  return signal === undefined ? { stop } : { notify: throttled(() => process.kill(pid, signal)), stop }
}

/** The agent's own notifier: one at a time, the newest only, again until it succeeds. */
function runsCommand(command: readonly string[]): Omit<Running, "listens"> {
  const settings = Notify.parse({ exec: [...command] })
  const notifier = createNotifier(settings, {
    clock: systemClock,
    log: createLog("test", { level: "silent" }),
  })
  const stopping = new AbortController()
  const ended = notifier.run(stopping.signal).catch(() => undefined)
  let seq = 0
  return {
    notify: () => {
      seq += 1
      notifier.tell({ projection: "p", path: "/", revision: `${seq}`, token: { epoch: 0, seq } })
    },
    stop: async () => {
      stopping.abort(new Error("stopped"))
      await ended
    },
  }
}

/** Calls at most every NOTICE_EVERY, the last call always. */
function throttled(action: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let last = 0
  return () => {
    if (timer !== undefined) return
    timer = setTimeout(
      () => {
        timer = undefined
        last = performance.now()
        try {
          action()
        } catch {
          // It has ended: its row then notices nothing more.
        }
      },
      Math.max(0, last + NOTICE_EVERY - performance.now()),
    )
  }
}

async function get(url: string): Promise<string> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(1000) })
  return await answer.text()
}

function nginxProgram(own: string, http: string): Program {
  const text = `daemon off; user root; worker_processes 1; pid ${own}/pid; error_log /dev/null;
events { worker_connections 64; }
http { access_log off; client_body_temp_path ${own}/b; proxy_temp_path ${own}/p; fastcgi_temp_path ${own}/f;
uwsgi_temp_path ${own}/u; scgi_temp_path ${own}/s; ${http} }`
  writeFileSync(join(own, "nginx.conf"), text)
  return { command: "nginx", args: ["-p", own, "-c", join(own, "nginx.conf"), "-e", "/dev/null"] }
}

/** Serves a published text, as a web server with a cache of open files does. */
export const nginxFiles = serverConsumer(
  { name: "nginx, files", needs: ["nginx"], through: ["a flat file", "a nested file"] },
  async (site, way, own) => {
    const port = await freePort()
    const name = way === "a flat file" ? "conf.txt" : "d/e/conf.txt"
    const cache = "open_file_cache max=100 inactive=60s; open_file_cache_valid 1s;"
    const server = `server { listen 127.0.0.1:${port}; root ${site.root}; ${cache} }`
    return {
      program: nginxProgram(own, server),
      probe: async () => {
        const seq = seqOf(await get(`http://127.0.0.1:${port}/${name}`))
        return seq === "torn" ? "mixed" : seq
      },
    }
  },
)

/** Takes a part of its configuration from what is published. */
export const nginxConfiguration = serverConsumer(
  { name: "nginx, configuration", needs: ["nginx"], through: ["a flat file"], notice: "SIGHUP" },
  async (site, _, own) => {
    const port = await freePort()
    const server = `server { listen 127.0.0.1:${port}; include ${site.path("nginx.conf")}; }`
    return {
      program: nginxProgram(own, server),
      probe: async () => numberIn(await get(`http://127.0.0.1:${port}/revision`)),
      signal: "SIGHUP",
    }
  },
)

/** Loads a published file into its configuration. */
export const haproxy = serverConsumer(
  {
    name: "haproxy",
    needs: ["haproxy"],
    through: ["a flat file"],
    notice: "[reload-haproxy.sh](recipes/reload-haproxy.sh)",
  },
  async (site, _, own) => {
    const port = await freePort()
    const answer = `http-request return status 200 content-type text/plain file ${site.path("haproxy.txt")}`
    const text = `defaults\n mode http\n timeout client 5s\n timeout server 5s\n timeout connect 5s
frontend revisions\n bind 127.0.0.1:${port}\n ${answer}\n`
    writeFileSync(join(own, "haproxy.cfg"), text)
    return {
      // Master and worker: a reload starts another worker, and a file that cannot be loaded keeps the one before.
      program: { command: "haproxy", args: ["-W", "-db", "-f", join(own, "haproxy.cfg")] },
      probe: async () => numberIn(await get(`http://127.0.0.1:${port}/`)),
      exec: (pid) => {
        writeFileSync(join(own, "pid"), `${pid}\n`)
        return ["sh", RELOAD_HAPROXY, join(own, "pid")]
      },
    }
  },
)

/**
 * Discovers targets from a published file. Its manager applies what it has read every 5 s, so what counts here is when it
 * reads, by its own metrics.
 */
export const prometheusTargets = serverConsumer(
  { name: "Prometheus, file_sd", needs: ["prometheus"], through: ["a flat file", "a nested file"] },
  async (site, way, own) => {
    const port = await freePort()
    const file = site.path(way === "a flat file" ? "targets.json" : "d/e/targets.json")
    const text = `scrape_configs:\n- job_name: revisions\n  scrape_interval: 1h\n  file_sd_configs:\n  - files: [${file}]\n`
    return {
      program: prometheusProgram(own, port, text),
      probe: countReadings(`http://127.0.0.1:${port}/metrics`),
    }
  },
)

/** Alert rules in a published file. */
export const prometheusRules = serverConsumer(
  { name: "Prometheus, rules", needs: ["prometheus"], through: ["a flat file"], notice: "SIGHUP" },
  async (site, _, own) => {
    const port = await freePort()
    const program = prometheusProgram(own, port, `rule_files: [${site.path("rules.yaml")}]\n`)
    return {
      program,
      probe: async () => {
        const [, seq] = /"seq":"(\d+)"/.exec(await get(`http://127.0.0.1:${port}/api/v1/rules`)) ?? []
        return seq === undefined ? undefined : Number(seq)
      },
      signal: "SIGHUP",
    }
  },
)

function prometheusProgram(own: string, port: number, text: string): Program {
  writeFileSync(join(own, "prometheus.yml"), text)
  const flags = [`--config.file=${join(own, "prometheus.yml")}`, `--storage.tsdb.path=${join(own, "data")}`]
  return { command: "prometheus", args: [...flags, `--web.listen-address=127.0.0.1:${port}`] }
}

function countReadings(url: string): Server["probe"] {
  let [readings, errors] = [0, 0]
  return async () => {
    const metrics = await get(url)
    const count = (name: string) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(metrics)?.[1] ?? 0)
    const [lastReadings, lastErrors] = [readings, errors]
    readings = count("prometheus_sd_file_scan_duration_seconds_count")
    errors = count("prometheus_sd_file_read_errors_total")
    if (errors > lastErrors) return "mixed"
    return readings > lastReadings ? "noticed" : undefined
  }
}

/** Follows a folder of hosts by inotify; names that begin with a dot are ignored. */
export const dnsmasqFolder = serverConsumer(
  { name: "dnsmasq, hostsdir", needs: ["dnsmasq"], through: ["a nested folder"] },
  async (site, _, own) => await dnsmasq(own, `--hostsdir=${site.path("hosts")}`),
)

/** Reads a file of hosts again at SIGHUP. */
export const dnsmasqFile = serverConsumer(
  { name: "dnsmasq, addn-hosts", needs: ["dnsmasq"], through: ["a nested file"], notice: "SIGHUP" },
  async (site, _, own) => ({
    ...(await dnsmasq(own, `--addn-hosts=${site.path("hosts/hosts")}`)),
    signal: "SIGHUP",
  }),
)

async function dnsmasq(own: string, hosts: string): Promise<Server> {
  const port = await freePort()
  mkdirSync(join(own, "empty"), { recursive: true })
  const flags = [
    "--keep-in-foreground",
    "--no-hosts",
    "--no-resolv",
    "--conf-file=/dev/null",
    "--user=root",
    "--pid-file=",
  ]
  const where = [`--port=${port}`, "--listen-address=127.0.0.1", "--bind-interfaces"]
  const resolver = new Resolver({ timeout: 500, tries: 1 })
  resolver.setServers([`127.0.0.1:${port}`])
  return {
    program: { command: "dnsmasq", args: [...flags, ...where, hosts] },
    probe: async () => {
      const addresses = await resolver.resolve4("revision.test")
      // A folder that is read again keeps what a file said before: the newest counts.
      return Math.max(...addresses.map(seqOfAddress))
    },
  }
}

function numberIn(text: string): number | undefined {
  return /^\d+\s*$/.test(text) ? Number(text) : undefined
}
