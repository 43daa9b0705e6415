import { Option } from "commander"

/** A flag with its environment twin: `--source-path` is also HEADRACE_SOURCE_PATH. */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description)
  return option.env(`HEADRACE_${option.name().replaceAll("-", "_").toUpperCase()}`)
}
