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
