import type { KubeObject } from "./kube-object.ts"

const texts = new WeakMap<KubeObject, string>()

/** An object of the store as JSON. Objects there never change, so each is written out once for all watchers. */
export function jsonOf(object: KubeObject): string {
  const known = texts.get(object)
  if (known !== undefined) return known
  const text = JSON.stringify(object)
  texts.set(object, text)
  return text
}
