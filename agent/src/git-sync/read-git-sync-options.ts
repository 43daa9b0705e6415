import { closestWord } from "@headrace/shared/foundation/closest-word"
import { UsageError } from "@headrace/shared/foundation/errors"
import { GIT_SYNC_OPTIONS, type GitSyncOption, type GitSyncOptionName } from "./git-sync-options.ts"

/** What was given for an option, as text: one by one for a flag that repeats. */
export interface GivenOption {
  values: readonly string[]
  /** `--period` or `GITSYNC_PERIOD`, for messages. */
  from: string
}

/** What the user gave, and what an unset option has by default. */
export interface GivenOptions {
  given: ReadonlyMap<GitSyncOptionName, GivenOption>
  /** Sentences about older names and options without effect, for the log. */
  remarks: readonly string[]
}

const ENTRIES = Object.entries(GIT_SYNC_OPTIONS) as [GitSyncOptionName, GitSyncOption][]
const BY_FLAG = new Map(
  ENTRIES.flatMap(([name, { flag }]) => (flag === undefined ? [] : [[flag, name] as const])),
)
const SHORT = new Map<string, GitSyncOptionName>([
  ["v", "verbose"],
  ["h", "help"],
  ["?", "help"],
])

/**
 * Reads a command line as git-sync's (pflag: `--flag=value`, `--flag value`, `--switch`, `-v 2`, `-v2`) and its
 * variables; a flag wins over a variable. Throws UsageError `git-sync/bad-option` for a flag that git-sync does not
 * have, `git-sync/refused` for one that is refused here.
 */
export function readGitSyncOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): GivenOptions {
  const given = new Map<GitSyncOptionName, GivenOption>()
  const remarks: string[] = []
  for (const [name, option] of ENTRIES) {
    const found = fromEnvironment(option, env, remarks)
    if (found !== undefined) given.set(name, found)
  }
  for (const [name, found] of fromArguments(args, remarks)) given.set(name, found)
  for (const [name, { from, values }] of given) judge(name, from, values, remarks)
  return { given, remarks }
}

function fromEnvironment(
  { env = [], kind }: GitSyncOption,
  variables: Readonly<Record<string, string | undefined>>,
  remarks: string[],
): GivenOption | undefined {
  const [first] = env
  // The last that is set counts, as in git-sync.
  const from = env.findLast((name) => variables[name] !== undefined)
  const value = from === undefined ? undefined : variables[from]
  if (from === undefined || value === undefined) return undefined
  if (from !== first && first !== undefined) remarks.push(`${from} is an older name of ${first}.`)
  if (value === "" && kind !== "text" && kind !== "list") return undefined
  const isKeys = first === "GITSYNC_SSH_KEY_FILE"
  return { from, values: isKeys ? value.split(":") : [value] }
}

/** What is no flag, and all after `--`, is ignored, as by git-sync: `--one-time true` is one flag and an argument. */
function fromArguments(args: readonly string[], remarks: string[]): Map<GitSyncOptionName, GivenOption> {
  const given = new Map<GitSyncOptionName, GivenOption>()
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined && arg !== "--"; arg = rest.shift()) {
    if (!/^-./.test(arg)) {
      remarks.push(`The argument ${JSON.stringify(arg)} is ignored: a switch takes its value after "=".`)
      continue
    }
    const { name, from, value } = splitArgument(arg, rest)
    const option: GitSyncOption = GIT_SYNC_OPTIONS[name]
    const before = option.kind === "list" ? (given.get(name)?.values ?? []) : []
    given.set(name, { from, values: [...before, value] })
  }
  return given
}

function splitArgument(
  arg: string,
  rest: string[],
): { name: GitSyncOptionName; from: string; value: string } {
  const match = /^--([^=]+)(?:=(.*))?$/s.exec(arg) ?? /^-([vh?])=?(.+)?$/s.exec(arg)
  if (match === null) throw badOption(`git-sync takes no argument ${JSON.stringify(arg)}`)
  const [, key = "", given] = match
  const name = arg.startsWith("--") ? BY_FLAG.get(key) : SHORT.get(key)
  const from = arg.startsWith("--") ? `--${key}` : `-${key}`
  if (name === undefined) throw unknownFlag(key)
  const option: GitSyncOption = GIT_SYNC_OPTIONS[name]
  if (given !== undefined) return { name, from, value: given }
  if (option.kind === "switch") return { name, from, value: "true" }
  const value = rest.shift()
  if (value === undefined) throw badOption(`${from} needs a value`)
  return { name, from, value }
}

function judge(name: GitSyncOptionName, from: string, values: readonly string[], remarks: string[]): void {
  const option: GitSyncOption = GIT_SYNC_OPTIONS[name]
  const isDefault = values.every((value) => value === (option.default ?? "") || value === "false")
  if (isDefault || option.verdict === "honoured") return
  if (option.verdict === "without-effect") {
    remarks.push(`${from} has no effect here. ${option.reason ?? ""}`)
    return
  }
  throw new UsageError("git-sync/refused", `${from} is not supported: ${option.reason ?? ""}`, {
    hint: "Remove it.",
  })
}

function unknownFlag(flag: string): UsageError {
  const closest = closestWord(flag, [...BY_FLAG.keys()])
  return badOption(
    `git-sync has no flag --${flag}`,
    closest === undefined ? "See headrace-agent git-sync --help." : `Did you mean --${closest}?`,
  )
}

function badOption(message: string, hint = "See headrace-agent git-sync --help."): UsageError {
  return new UsageError("git-sync/bad-option", message, { hint })
}
