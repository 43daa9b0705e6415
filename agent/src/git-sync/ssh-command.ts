/** The keys and host keys to use, by absolute or relative path. */
export interface SshOptions {
  keyFiles: readonly string[]
  /** Undefined: any host key is accepted. */
  knownHostsFile: string | undefined
}

/** git's GIT_SSH_COMMAND, which a shell reads; `base` is the user's own, with options of theirs. */
export function sshCommand({ keyFiles, knownHostsFile }: SshOptions, base = "ssh"): string {
  const keys = keyFiles.map((file) => `-i ${shellQuoted(file)}`)
  const hosts =
    knownHostsFile === undefined
      ? // Noted nowhere: a home folder is often read-only, and the note would be trusted later.
        ["-o StrictHostKeyChecking=no", "-o UserKnownHostsFile=/dev/null", "-o LogLevel=ERROR"]
      : ["-o StrictHostKeyChecking=yes", `-o ${shellQuoted(`UserKnownHostsFile="${knownHostsFile}"`)}`]
  return [base, ...keys, ...hosts, "-o BatchMode=yes", "-o ServerAliveInterval=15"].join(" ")
}

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
