import { closeSync, constants, openSync } from "node:fs"
import { endianness } from "node:os"
import { errnoName } from "../disk/errno-name.ts"
import { loadKoffi } from "../disk/load-koffi.ts"

/** What may be written beneath a folder, or to one file. */
export interface WritableRule {
  path: string
  kind: "folder" | "file"
}

/** Of landlock(7) and include/uapi/linux/landlock.h; the numbers of the calls are those of every architecture. */
const SYS_CREATE_RULESET = 444
const SYS_ADD_RULE = 445
const SYS_RESTRICT_SELF = 446
const CREATE_RULESET_VERSION = 1
const RULE_PATH_BENEATH = 1
const PR_SET_NO_NEW_PRIVS = 38
/** open(2): a handle that only names a place; Node has no constant for it. */
const O_PATH = 0o10000000

const IS_LITTLE_ENDIAN = endianness() === "LE"

const WRITE_FILE = 1n << 1n
const TRUNCATE = 1n << 14n
const MAKE_DEVICES = (1n << 6n) | (1n << 11n)
/** Removing and making entries of folders, and moving them between folders (REFER). */
const CHANGE_FOLDER =
  (1n << 4n) | (1n << 5n) | (1n << 7n) | (1n << 8n) | (1n << 9n) | (1n << 10n) | (1n << 12n)
const REFER = 1n << 13n

/** The first version that lets a rename or link go from one folder to another, by which revisions are published. */
const FIRST_WITH_REFER = 2
const FIRST_WITH_TRUNCATE = 3

interface Calls {
  createRuleset(attributes: Buffer | null, size: number, flags: number): number
  addRule(ruleset: number, rule: Buffer): number
  restrictSelf(ruleset: number): number
  forbidNewPrivileges(): number
  /** The name of the last failure, such as EPERM. */
  failure(): string
}

/** Why a process here cannot be confined; undefined: it can. */
export function whyNoLandlock(): string | undefined {
  if (process.platform !== "linux") return "only Linux has Landlock"
  if (process.execve === undefined) return "this version of Node has no process.execve"
  if (process.env.HEADRACE_NO_NATIVE) return "HEADRACE_NO_NATIVE forbids native calls"
  const calls = loadCalls()
  if (calls === undefined) return "koffi is not installed, or has no build for this system"
  const version = versionOf(calls)
  if (typeof version === "string")
    return `the kernel has no Landlock, or it is not in its lsm= list (${version})`
  if (version < FIRST_WITH_REFER) return "the kernel's Landlock has version 1, and 2 is needed (Linux 5.19)"
  return undefined
}

/**
 * Takes from this thread, from now on and for ever, the right to make, change or remove files elsewhere than in these
 * places, and from what it executes and starts (landlock(7)). Other threads that run already are not bound: execute
 * this program again right after (execve(2) ends them). What cannot be opened gets no rule; its paths are returned.
 *
 * Throws an Error that names the call and the errno.
 */
export function restrictWrites(rules: readonly WritableRule[]): string[] {
  const calls = loadCalls()
  const version = calls && versionOf(calls)
  if (calls === undefined || typeof version !== "number") throw new Error("Landlock is not there")
  const truncate = version >= FIRST_WITH_TRUNCATE ? TRUNCATE : 0n
  const ofFile = WRITE_FILE | truncate
  const ofFolder = ofFile | CHANGE_FOLDER | REFER
  const ruleset = check(
    calls,
    "landlock_create_ruleset",
    calls.createRuleset(u64(ofFolder | MAKE_DEVICES), 8, 0),
  )
  try {
    const unopened = rules.filter((rule) => {
      const place = openPlace(rule)
      if (place === undefined) return true
      try {
        const access = rule.kind === "file" ? ofFile : ofFolder
        check(calls, "landlock_add_rule", calls.addRule(ruleset, Buffer.concat([u64(access), s32(place)])))
      } finally {
        closeSync(place)
      }
      return false
    })
    check(calls, "prctl", calls.forbidNewPrivileges())
    check(calls, "landlock_restrict_self", calls.restrictSelf(ruleset))
    return unopened.map(({ path }) => path)
  } finally {
    closeSync(ruleset)
  }
}

function openPlace({ path, kind }: WritableRule): number | undefined {
  try {
    return openSync(path, O_PATH | (kind === "folder" ? constants.O_DIRECTORY : 0))
  } catch {
    return undefined
  }
}

function versionOf(calls: Calls): number | string {
  const version = calls.createRuleset(null, 0, CREATE_RULESET_VERSION)
  return version < 0 ? calls.failure() : version
}

function check(calls: Calls, call: string, result: number): number {
  if (result < 0) throw new Error(`${call}: ${calls.failure()}`)
  return result
}

function loadCalls(): Calls | undefined {
  try {
    const koffi = loadKoffi()
    const libc = koffi.load(null)
    const create = libc.func("long syscall(long number, const void *attributes, size_t size, size_t flags)")
    const add = libc.func(
      "long syscall(long number, size_t ruleset, size_t type, const void *rule, size_t flags)",
    )
    const restrict = libc.func("long syscall(long number, size_t ruleset, size_t flags)")
    const prctl = libc.func("int prctl(int option, size_t a, size_t b, size_t c, size_t d)")
    return {
      createRuleset: (attributes, size, flags) => Number(create(SYS_CREATE_RULESET, attributes, size, flags)),
      addRule: (ruleset, rule) => Number(add(SYS_ADD_RULE, ruleset, RULE_PATH_BENEATH, rule, 0)),
      restrictSelf: (ruleset) => Number(restrict(SYS_RESTRICT_SELF, ruleset, 0)),
      forbidNewPrivileges: () => prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
      failure: () => errnoName(koffi.errno()),
    }
  } catch {
    return undefined
  }
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  if (IS_LITTLE_ENDIAN) bytes.writeBigUInt64LE(value)
  else bytes.writeBigUInt64BE(value)
  return bytes
}

function s32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  if (IS_LITTLE_ENDIAN) bytes.writeInt32LE(value)
  else bytes.writeInt32BE(value)
  return bytes
}
