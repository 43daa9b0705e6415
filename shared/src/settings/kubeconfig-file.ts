import { readFile } from "node:fs/promises"
import { load, type YAMLException } from "js-yaml"
import { z } from "zod"
import { errorText, UsageError } from "../foundation/errors.ts"
import { tidy } from "../foundation/schema-problems.ts"

// A kubeconfig is kubectl's file: fields that we do not know are others' business and let through.
const NamedCluster = z.object({
  name: z.string(),
  cluster: z.object({
    server: z.string(),
    "certificate-authority": z.string().optional(),
    "certificate-authority-data": z.string().optional(),
    "insecure-skip-tls-verify": z.boolean().optional(),
    "tls-server-name": z.string().optional(),
    "proxy-url": z.string().optional(),
  }),
})

const Exec = z.object({
  apiVersion: z.string(),
  command: z.string(),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  provideClusterInfo: z.boolean().optional(),
})

const NamedUser = z.object({
  name: z.string(),
  user: z
    .object({
      token: z.string().optional(),
      tokenFile: z.string().optional(),
      username: z.string().optional(),
      password: z.string().optional(),
      "client-certificate": z.string().optional(),
      "client-certificate-data": z.string().optional(),
      "client-key": z.string().optional(),
      "client-key-data": z.string().optional(),
      exec: Exec.optional(),
      "auth-provider": z.unknown().optional(),
      as: z.string().optional(),
      "as-uid": z.unknown().optional(),
      "as-groups": z.unknown().optional(),
      "as-user-extra": z.unknown().optional(),
    })
    .nullish(),
})

const Kubeconfig = z.object({
  clusters: z.array(NamedCluster),
  users: z.array(NamedUser).nullish(),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string().optional() }) }),
  ),
  "current-context": z.string().optional(),
})

export type KubeconfigCluster = z.infer<typeof NamedCluster>["cluster"]
export type KubeconfigUser = NonNullable<z.infer<typeof NamedUser>["user"]>
export type KubeconfigExec = z.infer<typeof Exec>

/** One context of a kubeconfig, with what it names. */
export interface KubeconfigContext {
  context: string
  cluster: KubeconfigCluster
  user: KubeconfigUser
}

/** The cluster and user of a kubeconfig's context; `context` absent: its current one. Throws UsageError `kube/kubeconfig`. */
export async function readKubeconfigFile(file: string, context?: string): Promise<KubeconfigContext> {
  return parseKubeconfig(await readText(file), file, context)
}

/** The same from a kubeconfig's text. */
export function parseKubeconfig(text: string, file: string, context?: string): KubeconfigContext {
  const config = parse(text, file)
  const wanted = context ?? config["current-context"]
  if (!wanted) throw wrong(file, "it names no current-context", "Set one, or name a context.")
  const found = config.contexts.find((one) => one.name === wanted)?.context
  const known = config.contexts.map((one) => one.name).join(", ")
  if (!found) throw wrong(file, `it has no context "${wanted}"`, `It has: ${known || "none"}.`)
  const cluster = config.clusters.find((one) => one.name === found.cluster)?.cluster
  if (!cluster)
    throw wrong(file, `context "${wanted}" names the cluster "${found.cluster}", which is not there`)
  if (!["http:", "https:"].includes(URL.parse(cluster.server)?.protocol ?? "")) {
    const expected = "Correct it: expected a URL such as https://HOST:6443."
    throw wrong(file, `the server ${cluster.server} of the cluster "${found.cluster}" is no URL`, expected)
  }
  const named = config.users?.find((one) => one.name === found.user)
  if (found.user && !named)
    throw wrong(file, `context "${wanted}" names the user "${found.user}", which is not there`)
  const user = named?.user ?? {}
  refuseImpersonation(user, `the user "${found.user}"`, file)
  return { context: wanted, cluster, user }
}

/** Without them the server would act with other rights than kubectl has by the same file. */
function refuseImpersonation(user: KubeconfigUser, who: string, file: string): void {
  for (const field of ["as-groups", "as-uid", "as-user-extra"] as const) {
    if (user[field] === undefined || user[field] === null) continue
    throw wrong(
      file,
      `${who} has ${field}, which is not supported`,
      "Give it credentials of that user, or as alone.",
    )
  }
}

/** The names of all contexts of a kubeconfig, and which is its current one. Throws UsageError `kube/kubeconfig`. */
export async function kubeconfigContexts(
  file: string,
): Promise<{ names: string[]; current: string | undefined }> {
  const config = parse(await readText(file), file)
  return { names: config.contexts.map((one) => one.name), current: config["current-context"] || undefined }
}

function readText(file: string): Promise<string> {
  return readFile(file, "utf8").catch((error: unknown) => {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT"
    throw wrong(
      file,
      errorText(error),
      isMissing ? "Mount or write the file, or correct its path." : undefined,
    )
  })
}

function parse(text: string, file: string): z.infer<typeof Kubeconfig> {
  let value: unknown
  try {
    value = load(text)
  } catch (error) {
    throw wrong(file, kubeconfigTrouble(error))
  }
  const parsed = Kubeconfig.safeParse(value)
  if (parsed.success) return parsed.data
  // Only places, never values: a kubeconfig holds secrets.
  const places = parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${tidy(issue.message)}`)
  throw wrong(file, places.join("; "))
}

/** Why a kubeconfig does not parse, without the excerpt that js-yaml shows: it may hold a secret. */
function kubeconfigTrouble(error: unknown): string {
  if (!(error instanceof Error) || error.name !== "YAMLException") return errorText(error)
  const { reason, mark } = error as Partial<YAMLException>
  return `it is not YAML: ${reason ?? ""}${mark ? ` in line ${mark.line + 1}` : ""}`
}

function wrong(
  file: string,
  why: string,
  hint = "Correct the file; kubectl config view --kubeconfig FILE prints what kubectl reads of it.",
): UsageError {
  return new UsageError("kube/kubeconfig", `kubeconfig ${file}: ${why}`, { hint })
}
