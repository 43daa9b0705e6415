import { isAbsolute, join, normalize, relative } from "node:path"
import { compareText } from "@headrace/shared/foundation/canonical-json"
import { type ConfigMap, configMapBytes } from "@headrace/shared/foundation/config-map"
import { sha256 } from "@headrace/shared/foundation/digest"
import { foldersOf } from "@headrace/shared/foundation/folders-of"
import type { FileKind } from "@headrace/shared/kube/protocol/object-kind"
import { pathFault } from "../disk/check-paths.ts"
import type { RevisionFile } from "../store/revision.ts"
import type { SidecarSettings } from "./sidecar-settings.ts"

/** An object that was selected. */
export interface SelectedObject {
  kind: FileKind
  object: ConfigMap
}

/** Files by path, and why keys are left out, a sentence each. */
export interface SidecarFiles {
  files: RevisionFile[]
  leftOut: string[]
}

type FileSettings = Pick<SidecarSettings, "folder" | "folderAnnotation" | "uniqueNames" | "mode">

/**
 * The files that k8s-sidecar would write. Pure. Left out, and named: an object whose annotation leads out of FOLDER, a
 * key that ends in .url, and what wants the path of an object before it, in the order of namespace, kind and name.
 */
export function sidecarFiles(objects: readonly SelectedObject[], settings: FileSettings): SidecarFiles {
  const byPath = new Map<string, { file: RevisionFile; owner: string }>()
  const folders = new Map<string, string>()
  const leftOut: string[] = []
  for (const selected of [...objects].sort(byPlace)) {
    const owner = ownerOf(selected)
    const place = placeOf(selected, settings)
    if (place === undefined) {
      leftOut.push(`${owner}: its annotation ${settings.folderAnnotation} leads out of ${settings.folder}`)
      continue
    }
    for (const [key, bytes] of [...configMapBytes(selected.object)].sort(([a], [b]) => compareText(a, b))) {
      const path = join(place, fileName(selected, key, settings.uniqueNames))
      const fault = faultOf(path, key, byPath, folders)
      if (fault === undefined) {
        byPath.set(path, { file: fileAt(path, bytes, settings.mode), owner })
        for (const folder of foldersOf(path)) folders.set(folder, owner)
      } else leftOut.push(`${owner}, key ${JSON.stringify(key)}: ${fault}`)
    }
  }
  const files = [...byPath.values()].map(({ file }) => file).sort((a, b) => compareText(a.path, b.path))
  return { files, leftOut }
}

function faultOf(
  path: string,
  key: string,
  byPath: ReadonlyMap<string, { owner: string }>,
  folders: ReadonlyMap<string, string>,
): string | undefined {
  if (key.endsWith(".url")) return "keys that end in .url are not downloaded"
  const fault = pathFault(path, [])
  if (fault !== undefined) return `${JSON.stringify(path)} cannot be a path: ${fault}`
  const other = byPath.get(path)?.owner ?? folders.get(path)
  const above = [...foldersOf(path)]
    .map((folder) => byPath.get(folder)?.owner)
    .find((owner) => owner !== undefined)
  const owner = other ?? above
  return owner === undefined ? undefined : `${path} is taken by ${owner}`
}

function fileAt(path: string, bytes: Buffer, mode: number): RevisionFile {
  return { path, mode, size: bytes.length, sha256: sha256(bytes), read: async () => bytes }
}

/** The folder in FOLDER that an object's files go to; undefined when its annotation leads out of it. */
function placeOf({ object }: SelectedObject, { folder, folderAnnotation }: FileSettings): string | undefined {
  const given = object.metadata.annotations?.[folderAnnotation]
  if (given === undefined || given === "") return ""
  const inside = normalize(isAbsolute(given) ? relative(folder, given) : given).replace(/\/+$/, "")
  if (inside === "." || inside === "") return ""
  return inside.startsWith("..") || isAbsolute(inside) ? undefined : inside
}

function fileName({ kind, object }: SelectedObject, key: string, isUnique: boolean): string {
  const { namespace, name } = object.metadata
  return isUnique ? `namespace_${namespace}.${kind.toLowerCase()}_${name}.${key}` : key
}

function ownerOf({ kind, object: { metadata } }: SelectedObject): string {
  return `${kind} ${metadata.namespace}/${metadata.name}`
}

function byPlace(a: SelectedObject, b: SelectedObject): number {
  const [first, second] = [a.object.metadata, b.object.metadata]
  return (
    compareText(first.namespace, second.namespace) ||
    compareText(a.kind, b.kind) ||
    compareText(first.name, second.name)
  )
}
