import { Option } from "commander"

/** A flag that has a twin in the environment; `needed` marks one without which its command cannot run. */
export class Flag extends Option {
  isNeeded = false
  /** What helps a person who has nothing to give; undefined: the flag's description does. */
  hint: string | undefined

  /**
   * Marks the flag as required. Not commander's makeOptionMandatory: that complains before it looks at unknown
   * options, so that `--confg FILE` would be reported as a missing `--config`.
   */
  needed(isNeeded = true): this {
    this.isNeeded = isNeeded
    return this
  }

  /** Says what to do where the flag is needed and not given. */
  orElse(hint: string): this {
    this.hint = hint
    return this
  }
}

/** A flag with its environment twin: `--source-path` is also HEADRACE_SOURCE_PATH. */
export function flag(flags: string, description: string): Flag {
  const option = new Flag(flags, description)
  option.env(environmentTwin(option))
  return option
}

/** The variable that a flag can be given by, unless it names another. */
export function environmentTwin(option: Option): string {
  return `HEADRACE_${option.name().replaceAll("-", "_").toUpperCase()}`
}
