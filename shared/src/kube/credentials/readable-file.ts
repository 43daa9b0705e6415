import { access, constants } from "node:fs/promises"
import { resolve } from "node:path"
import { type ErrorCode, errorText, UsageError } from "../../foundation/errors.ts"
import type { KubeconfigCluster, KubeconfigUser } from "../../settings/kubeconfig-file.ts"

const OF_KUBECONFIG =
  "Write or mount that file, or correct its path: it counts from the folder of the kubeconfig."

/**
 * Throws UsageError `kube/kubeconfig` for the first file that a context of a kubeconfig needs and that cannot be read: a
 * request would fail by it as if the server did not answer. `folder` is where its paths count from.
 */
export async function checkFilesOfCluster(
  cluster: KubeconfigCluster,
  folder: string,
  file: string,
): Promise<void> {
  if (cluster["certificate-authority-data"]) return
  await checkNamed(file, folder, "certificate-authority", cluster["certificate-authority"])
}

/** The same of its user. A user with an exec plugin takes what that gives. */
export async function checkFilesOfUser(user: KubeconfigUser, folder: string, file: string): Promise<void> {
  if (user.exec) return
  await checkNamed(file, folder, "tokenFile", user.tokenFile)
  for (const field of ["client-certificate", "client-key"] as const) {
    if (!user[`${field}-data`]) await checkNamed(file, folder, field, user[field])
  }
}

async function checkNamed(
  file: string,
  folder: string,
  field: string,
  path: string | undefined,
): Promise<void> {
  if (!path) return
  const place = resolve(folder, path)
  const what = `kubeconfig ${file}: its ${field} ${place}`
  await checkReadable(place, { code: "kube/kubeconfig", what, hint: OF_KUBECONFIG })
}

/** Throws a UsageError with this code and hint unless the file can be read; `what` names it. */
export async function checkReadable(
  path: string,
  { code, what, hint }: { code: ErrorCode; what: string; hint: string },
): Promise<void> {
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    throw new UsageError(code, `${what} cannot be read: ${errorText(error)}`, { hint })
  }
}
