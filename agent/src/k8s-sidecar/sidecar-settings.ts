import { existsSync } from "node:fs"
import { homedir } from "node:os"
import { join, resolve } from "node:path"
import { UsageError } from "@headrace/shared/foundation/errors"
import type { FileKind } from "@headrace/shared/kube/protocol/object-kind"
import { SIDECAR_OPTIONS, type SidecarOption, type SidecarOptionName } from "./sidecar-options.ts"

/** How to call REQ_URL. Durations in milliseconds. */
export interface CallSettings {
  url: string
  method: "GET" | "POST"
  body: string | undefined
  retries: { total: number; connect: number; read: number; backoff: number }
  timeout: number
  login: {
    username?: string
    password?: string
    usernameFile?: string
    passwordFile?: string
    encoding: "latin1" | "utf8"
  }
  skipTlsVerify: boolean
  /** File of the authorities to trust, in place of the usual ones. */
  authoritiesFile: string | undefined
  /** Call again after an answer 5xx. */
  retriesErrors: boolean
  skipFirst: boolean
}

/** An object to read by its name. */
export interface NamedObject {
  kind: FileKind | undefined
  namespace: string | undefined
  name: string
}

/** k8s-sidecar's variables, checked. */
export interface SidecarSettings {
  folder: string
  folderAnnotation: string
  labelSelector: string
  /** `""`: all; undefined: the pod's own. */
  namespaces: readonly string[] | undefined
  kinds: readonly FileKind[]
  names: readonly NamedObject[]
  method: "WATCH" | "SLEEP" | "LIST"
  /** Milliseconds. */
  sleep: number
  uniqueNames: boolean
  mode: number
  script: string | undefined
  call: CallSettings | undefined
  /** Undefined: the pod's own service account. */
  kubeconfig: string | undefined
  listen: string
  logLevel: string
  /** Sentences for the log. */
  remarks: readonly string[]
}

const LOG_LEVELS: Record<string, string> = {
  DEBUG: "debug",
  INFO: "info",
  WARN: "warn",
  WARNING: "warn",
  ERROR: "error",
  CRITICAL: "fatal",
}
const KINDS: Record<string, FileKind[]> = {
  configmap: ["ConfigMap"],
  secret: ["Secret"],
  both: ["Secret", "ConfigMap"],
}
const WRITE_BITS = 0o222

/** Reads k8s-sidecar's variables and flags. Throws UsageError `sidecar/bad-option` that names the variable. */
export function sidecarSettings(
  env: Readonly<Record<string, string | undefined>>,
  flags: readonly string[] = [],
): SidecarSettings {
  const read = reader({ ...env, ...fromFlags(flags) })
  const folder = needed(read, "FOLDER")
  const value = read.text("LABEL_VALUE")
  const label = needed(read, "LABEL")
  const names = read.list("RESOURCE_NAME").map(namedObject)
  const kinds = KINDS[read.text("RESOURCE")]
  if (kinds === undefined) throw bad("RESOURCE", read.text("RESOURCE"), "configmap, secret or both")
  const method = read.text("METHOD")
  const { mode, remark } = fileMode(read.filled("DEFAULT_FILE_MODE"))
  const kubeconfig = existingFile(env.KUBECONFIG ?? join(homedir(), ".kube/config"))
  const isPassedOver = Boolean(env.KUBECONFIG) && kubeconfig === undefined
  return {
    folder: resolve(folder),
    folderAnnotation: read.text("FOLDER_ANNOTATION"),
    labelSelector: value === "" ? label : `${label}=${value}`,
    namespaces: namespacesOf(read.list("NAMESPACE")),
    kinds,
    names,
    // A watch by label would show other objects than those named: k8s-sidecar reads them over and over too.
    method: method === "LIST" || method === "SLEEP" ? method : names.length > 0 ? "SLEEP" : "WATCH",
    sleep: read.number("SLEEP_TIME") * 1000,
    uniqueNames: read.flag("UNIQUE_FILENAMES"),
    mode,
    script: read.text("SCRIPT") || undefined,
    call: callOf(read),
    kubeconfig,
    listen: listenOf(read),
    logLevel: LOG_LEVELS[read.text("LOG_LEVEL").toUpperCase()] ?? "info",
    remarks: [
      ...read.remarks(),
      ...(remark === undefined ? [] : [remark]),
      ...(isPassedOver
        ? [`KUBECONFIG ${env.KUBECONFIG} is not there: the pod's service account is used.`]
        : []),
    ],
  }
}

type Reader = ReturnType<typeof reader>

function reader(env: Readonly<Record<string, string | undefined>>) {
  const optionOf = (name: SidecarOptionName): SidecarOption => SIDECAR_OPTIONS[name]
  const text = (name: SidecarOptionName) => env[name] ?? optionOf(name).default ?? ""
  return {
    text,
    flag: (name: SidecarOptionName) => text(name).toLowerCase() === "true",
    list: (name: SidecarOptionName) =>
      text(name)
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    /** A template that has no value gives an empty one: the default. */
    filled: (name: SidecarOptionName) => env[name] || (optionOf(name).default ?? ""),
    number(name: SidecarOptionName): number {
      const given = env[name] || optionOf(name).default
      const value = Number(given)
      if (Number.isFinite(value) && value >= 0) return value
      throw bad(name, text(name), "a number")
    },
    remarks: () =>
      Object.entries(SIDECAR_OPTIONS).flatMap(([name, option]: [string, SidecarOption]) => {
        const isUsual = env[name] === undefined || env[name] === option.default || env[name] === ""
        if (isUsual || option.verdict === "honoured") return []
        return [`${name} has no effect here. ${option.reason ?? ""}`]
      }),
  }
}

function fromFlags(flags: readonly string[]): Record<string, string> {
  const given: Record<string, string> = {}
  const rest = [...flags]
  for (let flag = rest.shift(); flag !== undefined; flag = rest.shift()) {
    const match = /^--req-(username|password)-file(?:=(.*))?$/.exec(flag)
    const value = match?.[2] ?? (match ? rest.shift() : undefined)
    if (match === null || value === undefined) {
      throw new UsageError("sidecar/bad-option", `k8s-sidecar takes no argument ${JSON.stringify(flag)}`, {
        hint: "Give --req-username-file and --req-password-file alone; everything else is in the environment.",
      })
    }
    given[`REQ_${match[1]?.toUpperCase()}_FILE`] = value
  }
  return given
}

function needed(read: Reader, name: SidecarOptionName): string {
  const value = read.text(name)
  if (value !== "") return value
  throw new UsageError("sidecar/bad-option", `${name} is not set`, {
    hint: `Set ${name} in the container's environment.`,
  })
}

/** As k8s-sidecar: a kubeconfig that is not there is none. */
function existingFile(path: string): string | undefined {
  return path !== "" && existsSync(path) ? path : undefined
}

function namespacesOf(given: readonly string[]): string[] | undefined {
  if (given.length === 0) return undefined
  return given.includes("ALL") ? [""] : [...new Set(given)]
}

function namedObject(text: string): NamedObject {
  const [name = "", type, namespace] = text.split("/").reverse()
  const kind = type === undefined ? undefined : KINDS[type]?.[0]
  if (name !== "" && (type === undefined || kind !== undefined) && text.split("/").length <= 3) {
    return { name, kind, namespace }
  }
  throw bad("RESOURCE_NAME", text, "NAME, TYPE/NAME or NAMESPACE/TYPE/NAME")
}

function fileMode(text: string): { mode: number; remark?: string } {
  if (!/^0?[0-7]{3}$/.test(text)) throw bad("DEFAULT_FILE_MODE", text, "three octal digits, such as 440")
  const mode = Number.parseInt(text, 8)
  const readOnly = mode & ~WRITE_BITS
  if (mode === readOnly) return { mode }
  return {
    mode: readOnly,
    remark: `DEFAULT_FILE_MODE ${text} is taken as ${readOnly.toString(8)}: revisions share their files.`,
  }
}

function callOf(read: Reader): CallSettings | undefined {
  const url = read.text("REQ_URL")
  if (url === "") return undefined
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ""))
    throw bad("REQ_URL", "(not shown)", "an http:// or https:// URL")
  const method = read.text("REQ_METHOD") || "GET"
  if (method !== "GET" && method !== "POST") throw bad("REQ_METHOD", method, "GET or POST")
  const encoding = read.text("REQ_BASIC_AUTH_ENCODING").toLowerCase().replace("-", "")
  const files = { usernameFile: read.text("REQ_USERNAME_FILE"), passwordFile: read.text("REQ_PASSWORD_FILE") }
  return {
    url,
    method,
    body: method === "POST" ? payload(read.text("REQ_PAYLOAD")) : undefined,
    retries: {
      total: read.number("REQ_RETRY_TOTAL"),
      connect: read.number("REQ_RETRY_CONNECT"),
      read: read.number("REQ_RETRY_READ"),
      backoff: read.number("REQ_RETRY_BACKOFF_FACTOR") * 1000,
    },
    timeout: read.number("REQ_TIMEOUT") * 1000,
    login: {
      username: read.text("REQ_USERNAME"),
      password: read.text("REQ_PASSWORD"),
      ...Object.fromEntries(Object.entries(files).filter(([, file]) => file !== "")),
      encoding: encoding === "utf8" ? "utf8" : "latin1",
    },
    skipTlsVerify: read.flag("REQ_SKIP_TLS_VERIFY"),
    authoritiesFile: read.text("REQUESTS_CA_BUNDLE") || undefined,
    retriesErrors: !read.flag("ENABLE_5XX"),
    skipFirst: read.flag("REQ_SKIP_INIT"),
  }
}

/** JSON as it was given; any other text as a JSON string, as k8s-sidecar posts it. */
function payload(text: string): string | undefined {
  if (text === "") return undefined
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return JSON.stringify(text)
  }
}

function listenOf(read: Reader): string {
  const host = read.text("HEALTH_HOST")
  return `${host.includes(":") ? `[${host}]` : host}:${read.number("HEALTH_PORT")}`
}

function bad(name: string, value: string, expected: string): UsageError {
  return new UsageError("sidecar/bad-option", `${name} is ${JSON.stringify(value)}, expected ${expected}`, {
    hint: `Set ${name} to ${expected}.`,
  })
}
