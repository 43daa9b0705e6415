import type { Log } from "@headrace/shared/observe/log"
import type { OpsSources } from "@headrace/shared/observe/ops-routes"
import { type HttpServer, openHttp } from "@headrace/shared/observe/serve-http"
import type { AgentSettings } from "@headrace/shared/settings/agent-settings"

type PortSettings = Pick<AgentSettings, "listen" | "bounds">

/** The agent's port, which stays open while the agent behind it starts over. */
export interface AgentPort {
  url(): string
  /** Opens the port of these settings when it is another one; throws `http/…`, and the old one stays. */
  open(settings: PortSettings): Promise<void>
  /** Answers by this agent from now on. */
  serve(settings: PortSettings, agent: OpsSources): Promise<void>
  close(): Promise<void>
}

/** Throws `http/bind`, and UsageError `http/listen`. */
export async function openPort({ listen, bounds }: PortSettings, log: Log): Promise<AgentPort> {
  let current: { listen: string; http: HttpServer } = { listen, http: await openHttp(listen, log, bounds) }
  let next: typeof current | undefined
  return {
    url: () => current.http.url,
    async open({ listen: wanted, bounds: others }) {
      // Open since settings that did not start: what they name may have come meanwhile.
      if (wanted === next?.listen) return
      await next?.http.close()
      next = undefined
      if (wanted !== current.listen) next = { listen: wanted, http: await openHttp(wanted, log, others) }
    },
    async serve({ listen: wanted, bounds: others }, agent) {
      const old = next?.listen === wanted ? current : undefined
      if (next !== undefined && old !== undefined) current = next
      else await next?.http.close()
      next = undefined
      await current.http.serve({ routes: new Map(), ops: agent, bounds: others })
      await old?.http.close()
    },
    async close() {
      await next?.http.close()
      await current.http.close()
    },
  }
}
