import { helpItem, helpNote } from "@headrace/shared/command-line/help-items"
import { GIT_SYNC_OPTIONS, GIT_SYNC_VERSION, type GitSyncOption, NOT_PROVIDED } from "./git-sync-options.ts"

const WIDTH = 34

/** All options with their variables and what differs from git-sync, for --help and --man. */
export function gitSyncHelp(): string {
  const options: GitSyncOption[] = Object.values(GIT_SYNC_OPTIONS)
  const current = options.filter(({ meaning }) => !meaning.startsWith("deprecated"))
  const older = options.filter(({ meaning }) => meaning.startsWith("deprecated"))
  return [
    "Usage: headrace-agent git-sync --repo=URL --root=FOLDER [FLAG]...",
    "",
    `Takes the flags and variables of git-sync ${GIT_SYNC_VERSION} as they are.`,
    "",
    ...current.map(optionLine),
    "",
    "Deprecated by git-sync, and still taken:",
    ...older.map(optionLine),
    "",
    "What differs from git-sync:",
    ...NOT_PROVIDED.map(({ name, reason }) => helpNote(name, reason)),
    ...options.flatMap(({ flag, reason }) => (reason === undefined ? [] : [helpNote(`--${flag}`, reason)])),
    "",
  ].join("\n")
}

function optionLine({ flag, env, meaning, default: standard }: GitSyncOption): string {
  const name = flag === undefined ? `$${env?.[0]}` : `--${flag}`
  const variable = flag === undefined || env?.[0] === undefined ? "" : ` [$${env[0]}]`
  const byDefault = standard === undefined || standard === "" ? "" : ` (default ${standard})`
  return helpItem(name, `${meaning}${byDefault}${variable}`, WIDTH)
}
