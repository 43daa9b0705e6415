import { readdirSync, readFileSync } from "node:fs"

/** Clock ticks per second of proc_pid_stat(5), 100 on every Linux that Node runs on. */
const TICKS = 100

/** What a process holds now, from /proc. */
export interface ProcUsage {
  residentMegabytes: number
  /** The most that it ever held. */
  peakMegabytes: number
  handles: number
  threads: number
  cpuSeconds: number
}

/** What a process holds in memory now, in megabytes, from /proc/PID/smaps_rollup, proc_pid_smaps(5). */
export interface ProcMemory {
  resident: number
  /** Each page divided among the processes that map it. */
  proportional: number
  /** Pages of no file: what this process alone brought about. */
  anonymous: number
}

export function procMemory(pid: number | undefined): ProcMemory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
  const megabytes = (line: string) => Number(new RegExp(`^${line}:\\s+(\\d+)`, "m").exec(rollup)?.[1]) / 1024
  return {
    resident: megabytes("Rss"),
    proportional: megabytes("Pss"),
    anonymous: megabytes("Anonymous"),
  }
}

export function procUsage(pid: number | undefined): ProcUsage {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  const number = (line: string) => Number(status.match(new RegExp(`${line}:\\s+(\\d+)`))?.[1])
  // The second field is the program's name in parentheses, which may hold anything.
  const times = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ")
  return {
    residentMegabytes: number("VmRSS") / 1024,
    peakMegabytes: number("VmHWM") / 1024,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    threads: number("Threads"),
    cpuSeconds: (Number(times[11]) + Number(times[12])) / TICKS,
  }
}
