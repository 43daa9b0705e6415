import type { Consumer } from "./consumer.ts"
import * as servers from "./servers.ts"
import * as watchers from "./watchers.ts"

/** Every consumer, in the order of the table's rows, in groups that can be measured one at a time. */
export const GROUPS: Readonly<Record<string, readonly Consumer[]>> = {
  servers: [
    servers.nginxFiles,
    servers.nginxConfiguration,
    servers.haproxy,
    servers.prometheusTargets,
    servers.prometheusRules,
    servers.dnsmasqFolder,
    servers.dnsmasqFile,
    watchers.prow,
  ],
  watchers: [
    watchers.inotifywait,
    watchers.entr,
    watchers.chokidarOld,
    watchers.chokidarNew,
    watchers.fsWatch,
    watchers.watchdog,
    watchers.fsnotify,
    watchers.viper,
    watchers.certwatcher,
    watchers.kubelet,
  ],
}

export const ALL: readonly Consumer[] = Object.values(GROUPS).flat()
