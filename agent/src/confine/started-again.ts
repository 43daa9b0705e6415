/**
 * True when this process is what a container's runtime or systemd has started, and starts again. The first process of a
 * container has a parent outside of its pid namespace, which getppid(2) gives as 0; SYSTEMD_EXEC_PID is of
 * systemd.exec(5).
 */
export function isStartedAgain(): boolean {
  return process.ppid === 0 || process.env.SYSTEMD_EXEC_PID === String(process.pid)
}
