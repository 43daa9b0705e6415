import { resolve } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import { GIT_SYNC_OPTIONS, type GitSyncOption, type GitSyncOptionName } from "./git-sync-options.ts"
import { parseGoBool, parseGoDuration, parseGoInt } from "./parse-go-values.ts"
import type { GivenOptions } from "./read-git-sync-options.ts"

export type GivenValues = ReturnType<typeof valuesOf>

/** Typed access to what was given. Its functions throw UsageError `git-sync/bad-option` that names the option. */
export function valuesOf({ given }: GivenOptions) {
  const optionOf = (name: GitSyncOptionName): GitSyncOption => GIT_SYNC_OPTIONS[name]
  const nameOf = (name: GitSyncOptionName) => given.get(name)?.from ?? `--${optionOf(name).flag ?? name}`

  function text(name: GitSyncOptionName): string {
    return given.get(name)?.values.at(-1) ?? optionOf(name).default ?? ""
  }

  function parsed<T>(name: GitSyncOptionName, parse: (text: string) => T | undefined, what: string): T {
    const value = parse(text(name))
    if (value !== undefined) return value
    throw badOption(`${nameOf(name)} is ${JSON.stringify(text(name))}, expected ${what}`, `Give ${what}.`)
  }

  const number = (name: GitSyncOptionName) =>
    text(name) === "" ? 0 : parsed(name, parseGoInt, "a whole number")
  const duration = (name: GitSyncOptionName) => parsed(name, parseGoDuration, "a duration such as 10s")

  return {
    text,
    number,
    duration,
    isGiven: (name: GitSyncOptionName) => given.has(name),
    flag: (name: GitSyncOptionName) => text(name) !== "" && parsed(name, parseGoBool, "true or false"),
    list: (name: GitSyncOptionName) =>
      given.get(name)?.values ?? (optionOf(name).default === undefined ? [] : [optionOf(name).default ?? ""]),
    path: (name: GitSyncOptionName, root: string) =>
      text(name) === "" ? undefined : resolve(root, text(name)),
    choice<T extends string>(name: GitSyncOptionName, choices: readonly T[]): T {
      return parsed(name, (given) => choices.find((each) => each === given), choices.join(", "))
    },
    /** An older option, in seconds, where it is given; otherwise the newer one. In milliseconds. */
    first(older: GitSyncOptionName, newer: GitSyncOptionName): number {
      const old = Number(text(older) || "0")
      if (Number.isNaN(old))
        throw badOption(`${nameOf(older)} is ${JSON.stringify(text(older))}, expected seconds`)
      return old > 0 ? Math.trunc(old * 1000) : duration(newer)
    },
    /** A duration of an option that has a least one, in milliseconds. */
    durationAtLeast: (name: GitSyncOptionName, least: number) => atLeast(nameOf(name), duration(name), least),
  }
}

/** The value, unless it is less than an option takes. Throws UsageError `git-sync/bad-option`. */
export function atLeast(name: string, value: number, least: number): number {
  if (value >= least) return value
  const shown =
    least >= 1000 ? `${least / 1000}s` : name === "--depth" || least === 0 ? String(least) : `${least}ms`
  throw badOption(`${name} must be at least ${shown}`, `Give ${shown} or more.`)
}

/** What is wrong with an option. */
export function badOption(message: string, hint = "See headrace-agent git-sync --help."): UsageError {
  return new UsageError("git-sync/bad-option", message, { hint })
}
