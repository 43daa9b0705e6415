import { type ChildProcess, spawn } from "node:child_process"
import type { Writable } from "node:stream"

/**
 * Reads what this process leaves behind if it ends now, until the kernel closes the pipe because it has ended, by SIGKILL
 * too. Then it kills processes, removes cgroups once nothing is in them (cgroups(7)), and folders with what still
 * works in them (proc_pid_cwd(5)). Lines are `+ KIND WHAT`, or `- KIND WHAT` for what has been ended.
 */
const GUARD = `
awk '$1 == "+" { kept[substr($0, 3)] = 1 }
  $1 == "-" { delete kept[substr($0, 3)] }
  END {
    for (one in kept) if (one ~ /^process /) print one
    for (one in kept) if (one ~ /^cgroup /) print one
    for (one in kept) if (one ~ /^folder /) print one
  }' |
while IFS= read -r one; do
  what=\${one#* }
  case $one in
    process*) kill -s KILL -- "$what" ;;
    cgroup*)
      for try in 1 2 3 4 5 6 7 8 9 10; do
        for pid in $(cat "$what/cgroup.procs"); do kill -s KILL "$pid"; done
        rmdir "$what" && break
        sleep 0.2
      done ;;
    folder*)
      [ -d "$what" ] || continue
      for place in /proc/[0-9]*; do
        case $(readlink "$place/cwd") in "$what" | "$what"/*) kill -s KILL "\${place#/proc/}" ;; esac
      done
      rm -rf -- "$what" || { sleep 1; rm -rf -- "$what"; } ;;
  esac
done
`

let guard: Writable | undefined

/**
 * Has something ended when this process is gone, however it ends: a process by its id (a group by the negative one, kill(1)), a
 * cgroup or a folder by its absolute path. Gives what is to be called when it has been ended; a folder needs no such call.
 */
export function endWithProcess(kind: "process" | "cgroup" | "folder", what: string | number): () => void {
  guard ??= startGuard()
  guard.write(`+ ${kind} ${what}\n`)
  return () => void guard?.write(`- ${kind} ${what}\n`)
}

/** The same for a child, until it has exited; `group`: with its process group. Gives the child. */
export function endChildWithProcess<Child extends ChildProcess>(child: Child, { group = false } = {}): Child {
  const { pid } = child
  if (pid === undefined) return child
  child.once("exit", endWithProcess("process", group ? -pid : pid))
  return child
}

/** In a session of its own, since Ctrl-C must not end it, and without what marks the processes of a test. */
function startGuard(): Writable {
  const env = { PATH: process.env.PATH }
  const child = spawn("sh", ["-c", GUARD], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
    env,
  })
  child.unref()
  // Without a shell nothing is guarded, as before.
  child.on("error", () => undefined)
  child.stdin.on("error", () => undefined)
  return child.stdin
}
