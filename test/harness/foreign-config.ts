import { appendFile, chmod, mkdir, readdir, writeFile } from "node:fs/promises"
import { join } from "node:path"

/** Every hook that a reading git command could come to. */
const HOOKS = [
  "post-index-change",
  "pre-commit",
  "post-checkout",
  "reference-transaction",
  "fsmonitor-watchman",
]

/**
 * Gives a repository a configuration and hooks that name programs wherever git takes one; each leaves a file in
 * `marks` when it runs. `gitDir` is the repository's own git directory.
 */
export async function setForeignConfig(gitDir: string, marks: string): Promise<void> {
  await mkdir(marks, { recursive: true })
  const program = join(marks, "..", "evil.sh")
  await writeFile(program, `#!/bin/sh\ntouch "${marks}/ran-$1"\ncat\n`)
  await chmod(program, 0o755)
  const run = (name: string) => `"${program} ${name}"`
  await appendFile(
    join(gitDir, "config"),
    `
[core]
\tfsmonitor = ${run("fsmonitor")}
\thooksPath = ${join(gitDir, "evil-hooks")}
\tpager = ${run("pager")}
\tsshCommand = ${run("ssh")}
\tgitProxy = ${run("proxy")}
\taskPass = ${run("askpass")}
\teditor = ${run("editor")}
\talternateRefsCommand = ${run("alternates")}
[filter "evil"]
\tclean = ${run("clean")}
\tsmudge = ${run("smudge")}
\tprocess = ${run("process")}
\trequired = true
[diff]
\texternal = ${run("diff-external")}
[diff "evil"]
\tcommand = ${run("diff-command")}
\ttextconv = ${run("textconv")}
[merge "evil"]
\tdriver = ${run("merge")} %A
[uploadpack]
\tpackObjectsHook = ${run("pack-objects")}
[remote "origin"]
\turl = ext::${program} ext
\tuploadpack = ${run("uploadpack")}
\tvcs = evil
\tpromisor = true
[extensions]
\tpartialClone = origin
[credential]
\thelper = ${run("credential")}
[alias]
${[
  "status",
  "cat-file",
  "rev-list",
  "ls-files",
  "update-index",
  "write-tree",
  "diff-files",
  "merge-base",
  "config",
  "fetch",
  "upload-pack",
]
  .map((name) => `\t${name} = "!${program} alias-${name}"`)
  .join("\n")}
`,
  )
  for (const folder of ["hooks", "evil-hooks"]) {
    await mkdir(join(gitDir, folder), { recursive: true })
    for (const hook of HOOKS) {
      const place = join(gitDir, folder, hook)
      await writeFile(place, `#!/bin/sh\ntouch "${marks}/ran-hook-${hook}"\n`)
      await chmod(place, 0o755)
    }
  }
}

/** The programs that ran. */
export async function programsThatRan(marks: string): Promise<string[]> {
  return (await readdir(marks)).sort()
}
