import { statSync } from "node:fs"

/** The keys and host keys to use, by absolute or relative path. */
export interface SshOptions {
  keyFiles: readonly string[]
  /** Undefined: any host key is accepted. */
  knownHostsFile: string | undefined
  /** ssh_config(5) in place of the user's and the system's. */
  configFile?: string | undefined
}

/**
 * The home of git-sync's user is /tmp, and its docs/proxy.md has ssh's configuration mounted there; our user has another.
 * What a third user has put there is not believed.
 */
export function mountedSshConfig(file = "/tmp/.ssh/config"): string | undefined {
  try {
    const { uid } = statSync(file)
    return uid === 0 || uid === process.getuid?.() ? file : undefined
  } catch {
    return undefined
  }
}

/** git's GIT_SSH_COMMAND, which a shell reads; `base` is the user's own, with options of theirs. */
export function sshCommand({ keyFiles, knownHostsFile, configFile }: SshOptions, base = "ssh"): string {
  const config = configFile === undefined ? [] : [`-F ${shellQuoted(configFile)}`]
  const keys = keyFiles.map((file) => `-i ${shellQuoted(file)}`)
  const hosts =
    knownHostsFile === undefined
      ? // Noted nowhere: a home folder is often read-only, and the note would be trusted later.
        ["-o StrictHostKeyChecking=no", "-o UserKnownHostsFile=/dev/null", "-o LogLevel=ERROR"]
      : ["-o StrictHostKeyChecking=yes", `-o ${shellQuoted(`UserKnownHostsFile="${knownHostsFile}"`)}`]
  return [base, ...config, ...keys, ...hosts, "-o BatchMode=yes", "-o ServerAliveInterval=15"].join(" ")
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
