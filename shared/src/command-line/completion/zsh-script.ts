import type { CompletedCommand, CompletedFlag } from "./completed-command.ts"

/** A completion script for zsh 5: as a file `_PROGRAM` in a folder of fpath, or sourced after compinit. */
export function zshScript(program: string, commands: readonly CompletedCommand[]): string {
  const [main, ...others] = commands
  const name = `_${program.replaceAll("-", "_")}`
  const names = others.map((command) => command.name).join("|") || "''"
  const described = others.map((command) => quoted(`${command.name}:${command.description}`))
  return `#compdef ${program}
# Completion of ${program} for zsh: source <(${program} completion zsh)
${name}() {
  local command= i
  for ((i = 2; i < CURRENT; i++)); do
    case $words[i] in ${names}) command=$words[i]; break ;; esac
  done
  if [[ -z $command ]]; then
    local -a commands=(${described.join(" ")})
    [[ $words[CURRENT] == -* ]] || _describe -t commands command commands
    _arguments ${(main?.flags ?? []).map(flagSpec).join(" ")}
    return
  fi
  words=("\${(@)words[i,-1]}")
  ((CURRENT -= i - 1))
  case $command in
${others.map(commandCase).join("")}  esac
}
if [[ $funcstack[1] == ${name} ]]; then ${name} "$@"; else compdef ${name} ${program}; fi
`
}

function commandCase({ name, flags, words }: CompletedCommand): string {
  const last = words === "file" ? ["'*:path:_files'"] : wordSpec(words)
  return `    ${name}) _arguments ${[...flags.map(flagSpec), ...last].join(" ")} ;;\n`
}

function wordSpec(words: readonly string[]): string[] {
  return words.length === 0 ? [] : [`'1:word:(${words.join(" ")})'`]
}

/** `'(-o --output)'{-o,--output=}'[how to print it]:format:(json text)'` */
function flagSpec({ short, long, description, value }: CompletedFlag): string {
  const equals = value === "none" ? "" : "="
  const text = description.replaceAll("[", "\\[").replaceAll("]", "\\]").replaceAll(":", "\\:")
  const end = quoted(`[${text}]${valueSpec(value)}`)
  return short ? `'(${short} ${long})'{${short},${long}${equals}}${end}` : `'${long}${equals}'${end}`
}

function valueSpec(value: CompletedFlag["value"]): string {
  if (value === "none") return ""
  if (value === "file") return ":file:_files"
  if (value === "folder") return ":folder:_files -/"
  return value === "text" ? ":value: " : `:value:(${value.join(" ")})`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
