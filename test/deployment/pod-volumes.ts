import { chmod, mkdir, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { rawRequest } from "../contract/raw-request.ts"

interface Items {
  items?: { key: string; path: string }[]
  optional?: boolean
}

export interface Volume {
  name: string
  configMap?: Items & { name: string }
  secret?: Items & { secretName: string }
  projected?: { sources: { secret: Items & { name: string } }[] }
  emptyDir?: object
  hostPath?: { path: string }
}

type Server = Parameters<typeof rawRequest>[0]

/**
 * Makes a Pod's volume in a folder, as the kubelet does: ConfigMaps and Secrets are read from the API server. Throws
 * for one that is not there and not optional, and for a kind of volume that no manifest of ours has.
 */
export async function makeVolume(
  server: Server,
  namespace: string,
  volume: Volume,
  to: string,
): Promise<void> {
  await mkdir(to, { recursive: true })
  // As DirectoryOrCreate makes a hostPath: root's alone to write.
  await chmod(to, volume.hostPath ? 0o755 : 0o777)
  if (volume.emptyDir || volume.hostPath) return
  if (volume.configMap) {
    return writeObject(server, `${namespace}/configmaps/${volume.configMap.name}`, volume.configMap, to)
  }
  if (volume.secret) {
    return writeObject(server, `${namespace}/secrets/${volume.secret.secretName}`, volume.secret, to)
  }
  if (!volume.projected) throw new Error(`volume ${volume.name}: unknown kind`)
  for (const { secret } of volume.projected.sources) {
    await writeObject(server, `${namespace}/secrets/${secret.name}`, secret, to)
  }
}

async function writeObject(
  server: Server,
  place: string,
  { items, optional = false }: Items,
  to: string,
): Promise<void> {
  const { status, body } = await rawRequest(server, "GET", `/api/v1/namespaces/${place}`)
  if (status === 404 && optional) return
  if (status !== 200) throw new Error(`${place}: ${status}`)
  const data = (body.data ?? {}) as Record<string, string>
  const encoding = place.includes("/secrets/") ? "base64" : "utf8"
  const files = items ?? Object.keys(data).map((key) => ({ key, path: key }))
  for (const { key, path } of files) {
    const content = data[key]
    if (content === undefined) throw new Error(`${place} has no ${key}`)
    await mkdir(dirname(join(to, path)), { recursive: true })
    await writeFile(join(to, path), Buffer.from(content, encoding))
  }
}
