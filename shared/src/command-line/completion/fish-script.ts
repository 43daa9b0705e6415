import type { CompletedCommand, CompletedFlag } from "./completed-command.ts"

/** A completion script for fish 3: a file `PROGRAM.fish` in ~/.config/fish/completions, or sourced. */
export function fishScript(program: string, commands: readonly CompletedCommand[]): string {
  const [main, ...others] = commands
  const lines = [
    `# Completion of ${program} for fish: ${program} completion fish | source`,
    `complete -c ${program} -f`,
    ...(main?.flags ?? []).map((flag) => flagLine(program, "__fish_use_subcommand", flag)),
  ]
  for (const { name, description, flags, words } of others) {
    const seen = `__fish_seen_subcommand_from ${name}`
    lines.push(
      `complete -c ${program} -n __fish_use_subcommand -a ${name} -d ${quoted(description)}`,
      ...flags.map((flag) => flagLine(program, seen, flag)),
    )
    if (words === "file") lines.push(`complete -c ${program} -n ${quoted(seen)} -F`)
    else if (words.length > 0)
      lines.push(`complete -c ${program} -n ${quoted(seen)} -a ${quoted(words.join(" "))}`)
  }
  return `${lines.join("\n")}\n`
}

function flagLine(
  program: string,
  condition: string,
  { short, long, description, value }: CompletedFlag,
): string {
  const names = `${short ? ` -s ${short.slice(1)}` : ""} -l ${long.slice(2)}`
  return `complete -c ${program} -n ${quoted(condition)}${names}${valueOptions(value)} -d ${quoted(description)}`
}

function valueOptions(value: CompletedFlag["value"]): string {
  if (value === "none") return ""
  if (value === "file") return " -r -F"
  if (value === "folder") return " -x -a '(__fish_complete_directories)'"
  return value === "text" ? " -x" : ` -x -a ${quoted(value.join(" "))}`
}

/** In fish, single quotes keep all but themselves and the backslash. */
function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`
}
