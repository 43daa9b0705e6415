import type { CompletedCommand, CompletedFlag } from "./completed-command.ts"

/** A completion script for bash 3.2 and newer, to be sourced. */
export function bashScript(program: string, commands: readonly CompletedCommand[]): string {
  const [main, ...others] = commands
  const names = others.map(({ name }) => name)
  const name = `_${program.replaceAll("-", "_")}`
  return `# Completion of ${program} for bash: source <(${program} completion bash)
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command= i words IFS=$'\\n'
  # "=" is a word of its own here: --output=json is three.
  if [[ $cur == = ]]; then cur=
  elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in ${names.join("|") || '""'}) command=\${COMP_WORDS[i]}; break ;; esac
  done
  case $command:$prev in
${commands.flatMap((command) => command.flags.map((flag) => valueCase(command, main, flag))).join("")}  esac
  case $command in
${commands.map((command) => wordsCase(command, main, names)).join("")}  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F ${name} ${program}
`
}

const FILES = 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")); return'
const FOLDERS = 'compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")); return'

/** What completes the value of a flag, at `command:flag`. */
function valueCase(
  command: CompletedCommand,
  main: CompletedCommand | undefined,
  { short, long, value }: CompletedFlag,
): string {
  if (value === "none") return ""
  const place = command === main ? "" : command.name
  const patterns = [long, ...(short ? [short] : [])].map((name) => `${place}:${name}`)
  return `    ${patterns.join("|")}) ${valueAction(value)} ;;\n`
}

function valueAction(value: Exclude<CompletedFlag["value"], "none">): string {
  if (value === "file") return FILES
  if (value === "folder") return FOLDERS
  return value === "text" ? "return" : `COMPREPLY=($(compgen -W $'${value.join("\\n")}' -- "$cur")); return`
}

/** What can come next in a command: its flags, and paths, words or the program's commands. */
function wordsCase(
  command: CompletedCommand,
  main: CompletedCommand | undefined,
  names: readonly string[],
): string {
  const flags = command.flags.flatMap(({ short, long }) => [long, ...(short ? [short] : [])])
  const words = command.words === "file" ? [] : command.words
  const all = [...(command === main ? names : words), ...flags]
  const files = command.words === "file" ? `[[ $cur == -* ]] || { ${FILES}; }; ` : ""
  return `    ${command === main ? '""' : command.name}) ${files}words=$'${all.join("\\n")}' ;;\n`
}
