import { queryMatcher } from "@headrace/config/local/embedded-kube/answer-request"
import { notFound } from "@headrace/config/local/embedded-kube/api-failure"
import type { KubeObject } from "@headrace/config/local/embedded-kube/kube-object"
import type { Call } from "./call.ts"

/** An answer in full; `body` is JSON text. */
export interface Answer {
  status: number
  body: string
}

/** A write that took effect. */
interface Version {
  /** Place in the order of the API server's writes. */
  order: number
  key: string
  /** Undefined: removed. */
  object: KubeObject | undefined
}

/** What an API server held after each write, as its own answers said: it can be read as it was at any time. */
export class PastStates {
  readonly #versions: Version[] = []
  #newest = 0

  /** Takes a write that took effect, with the object as the server answered it; undefined: removed. */
  note(namespace: string, name: string, object: KubeObject | undefined): void {
    // The answer to a delete has no version, so it comes after everything that is known.
    const order = object ? Number(object.metadata.resourceVersion) : this.#newest + 0.5
    this.#newest = Math.max(this.#newest, order)
    const after = this.#versions.findLastIndex((version) => version.order < order)
    this.#versions.splice(after + 1, 0, { order, key: `${namespace}/${name}`, object })
  }

  /** What an object was, the oldest version first. */
  versionsOf(namespace: string, name: string): KubeObject[] {
    const key = `${namespace}/${name}`
    return this.#versions.flatMap((version) => (version.key === key ? (version.object ?? []) : []))
  }

  /** The answer of so many distinct ones ago; undefined: there were not as many. */
  ago(call: Call, count: number): Answer | undefined {
    let left = count
    for (const answer of this.earlier(call)) {
      left -= 1
      if (left === 0) return answer
    }
    return undefined
  }

  /** The distinct answers that a read would have had earlier, the latest first. */
  *earlier(call: Call): Generator<Answer> {
    let last = contentOf(this.#answerAfter(call, this.#versions.length))
    for (let writes = this.#versions.length - 1; writes >= 0; writes--) {
      if (!this.#mayDiffer(call, writes)) continue
      const answer = this.#answerAfter(call, writes)
      const content = contentOf(answer)
      if (content !== last) yield answer
      last = content
    }
  }

  /** The answer of a server that has not seen the last `writes`. */
  behind(call: Call, writes: number): Answer {
    return this.#answerAfter(call, Math.max(0, this.#versions.length - writes))
  }

  /** False when the write after the first `writes` was of another object than the one that is read. */
  #mayDiffer({ path, name }: Call, writes: number): boolean {
    const key = this.#versions[writes]?.key
    return name === "" ? key?.startsWith(`${path.namespace}/`) === true : key === `${path.namespace}/${name}`
  }

  #answerAfter(call: Call, writes: number): Answer {
    const seen = this.#versions.slice(0, writes)
    const objects = new Map(seen.map(({ key, object }) => [key, object]))
    if (call.verb === "list") return listAnswer(call, objects, Math.floor(seen.at(-1)?.order ?? 1))
    const { kind, namespace } = call.path
    const found = objects.get(`${namespace}/${call.name}`)
    if (found) return { status: 200, body: JSON.stringify(found) }
    return { status: 404, body: JSON.stringify(notFound(kind.resource, call.name).status) }
  }
}

function listAnswer(
  call: Call,
  objects: ReadonlyMap<string, KubeObject | undefined>,
  version: number,
): Answer {
  const matches = queryMatcher(call.path, call.query)
  const found = [...objects.values()].filter((object) => object !== undefined).filter(matches)
  const items = call.metadataOnly
    ? found.map(({ metadata }) => ({
        kind: "PartialObjectMetadata",
        apiVersion: "meta.k8s.io/v1",
        metadata,
      }))
    : found
  const head = call.metadataOnly
    ? { kind: "PartialObjectMetadataList", apiVersion: "meta.k8s.io/v1" }
    : { kind: "ConfigMapList", apiVersion: "v1" }
  return {
    status: 200,
    body: JSON.stringify({ ...head, metadata: { resourceVersion: String(version) }, items }),
  }
}

/** What an answer says beside the version of a list. */
function contentOf({ status, body }: Answer): string {
  const { items } = JSON.parse(body) as { items?: unknown }
  return items === undefined ? `${status} ${body}` : JSON.stringify(items)
}
