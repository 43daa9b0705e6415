import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { dump, load } from "js-yaml"

/** Writes a server's kubeconfig into a folder, with another user and, if given, another cluster; gives its path. */
export async function kubeconfigFor(
  { kubeconfig }: { kubeconfig: string },
  folder: string,
  user: object,
  cluster?: object,
): Promise<string> {
  const config = load(kubeconfig) as { users: { name: string }[]; clusters: { name: string }[] }
  const users = config.users.map(({ name }) => ({ name, user }))
  const clusters = cluster ? config.clusters.map(({ name }) => ({ name, cluster })) : config.clusters
  const file = join(folder, "kubeconfig")
  await writeFile(file, dump({ ...config, users, clusters }))
  return file
}
