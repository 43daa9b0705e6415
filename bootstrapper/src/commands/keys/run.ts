import { rm, writeFile } from "node:fs/promises"
import { systemClock } from "@headrace/shared/foundation/clock"
import { HeadraceError, UsageError } from "@headrace/shared/foundation/errors"
import {
  generateKeyFiles,
  publicTextOf,
  readExpiry,
  readPublicKey,
  readSigningKey,
  type TrustedKey,
} from "@headrace/shared/trust/key-file"
import { type ClusterSourceOptions, clusterNamed } from "../../cli/cluster-source-options.ts"
import { commandLog } from "../../cli/command-log.ts"
import { forEachClusterSource } from "../../cli/for-each-cluster-source.ts"
import { printResults } from "../../cli/print-results.ts"
import { type Signed, signExisting } from "./sign-existing.ts"

export type KeysWord = "generate" | "show" | "sign"

export interface KeysOptions extends Omit<ClusterSourceOptions, "config"> {
  config?: string
  expires?: string
}

/** Runs `keys`. */
export async function runKeys(
  what: KeysWord,
  file: string | undefined,
  options: KeysOptions,
  signal: AbortSignal,
): Promise<number> {
  if (what === "sign") return signRecords(options, signal)
  if (file === undefined) {
    throw new UsageError("keys/no-file", `keys ${what} needs a file`, {
      hint: `Run headrace-bootstrapper keys ${what} FILE.`,
    })
  }
  return what === "generate" ? generate(file, options.expires) : show(file)
}

/** Writes the private key for its owner alone, and the public one beside it; replaces neither. */
async function generate(file: string, expires: string | undefined): Promise<number> {
  const until = expires === undefined ? undefined : isoDate(expires)
  const { privateText, publicText } = generateKeyFiles(until)
  await writeNew(file, privateText, 0o600)
  try {
    await writeNew(`${file}.pub`, publicText, 0o644)
  } catch (error) {
    // Half a pair is no use, and would keep the next attempt from this name.
    await rm(file)
    throw error
  }
  const { id } = await readPublicKey(`${file}.pub`)
  process.stdout.write(
    `key ${id}: ${file} is for writers (signing.keyFile), ${file}.pub for agents (trust.keys)\n`,
  )
  return 0
}

/** Prints the public part, of whichever of the two files it is. */
async function show(file: string): Promise<number> {
  const key = await readEither(file)
  const until = key.expires === undefined ? "without end" : `until ${new Date(key.expires).toISOString()}`
  process.stdout.write(`key ${key.id}, believed ${until}\n${publicTextOf(key)}`)
  return 0
}

async function readEither(file: string): Promise<TrustedKey> {
  try {
    return await readPublicKey(file)
  } catch (error) {
    return readSigningKey(file).catch(() => {
      throw error
    })
  }
}

async function signRecords({ config, ...options }: KeysOptions, signal: AbortSignal): Promise<number> {
  if (config === undefined) {
    throw new UsageError("keys/no-config", "keys sign needs the operator's file", {
      hint: "Give --config FILE, with signing.keyFile in it.",
    })
  }
  const log = commandLog(options.logLevel)
  const results = await forEachClusterSource({ ...options, config }, signal, async (_, place, settings) =>
    signExisting(settings, clusterNamed(settings, place.cluster), place, log, signal),
  )
  return printResults(results, options.output, signedText)
}

function signedText({ commit, held, before, key }: Signed): string {
  const shown = `shows ${commit ?? "nothing"}${held === null ? "" : `, held at ${held}`}`
  if (before === null) return `${shown}; it was signed by key ${key} already`
  return `${shown}; signed by key ${key} now (${before})`
}

async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    await writeFile(file, text, { mode, flag: "wx" })
  } catch (cause) {
    throw new HeadraceError("keys/not-written", `${file} cannot be written`, {
      hint: "Give a path that does not exist yet: a key is never replaced.",
      cause,
    })
  }
}

function isoDate(text: string): string {
  const time = readExpiry(text)
  if (time !== undefined && time <= systemClock.now()) {
    throw new UsageError("keys/expires", `--expires ${text} is over`, { hint: "Give a day that is to come." })
  }
  if (time !== undefined) return new Date(time).toISOString()
  throw new UsageError("keys/expires", `--expires ${JSON.stringify(text)} is no date`, {
    hint: "Give a day, such as 2028-01-31.",
  })
}
