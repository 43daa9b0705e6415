/** True for a repository on this machine's disks: a path or file://. A scp-like `host:path` has a colon before any slash. */
export function isLocalUrl(url: string): boolean {
  return /^file:\/\//i.test(url) || !(/^[a-z][a-z0-9+.-]*:\/\//i.test(url) || /^[^/]+:/.test(url))
}

/**
 * What a fetch from a repository on this machine needs, any user may own it: the operator named it, which is the decision
 * that safe.directory asks for. The setting goes to the serving git alone, as an argument, since git takes it neither
 * from the repository nor from the variables that a fetch drops. git-upload-pack(1) is made to serve a repository that
 * is not trusted: it reads no filters, hooks or packObjectsHook from there.
 */
export function servedLocally(url: string): { args: string[]; env: Record<string, string> } {
  if (!isLocalUrl(url)) return { args: [], env: {} }
  return {
    args: ["--upload-pack=git -c safe.directory='*' upload-pack"],
    // A partial clone would fetch what it lacks with programs of its own configuration. git(1), from 2.45 on by itself.
    env: { GIT_NO_LAZY_FETCH: "1" },
  }
}
